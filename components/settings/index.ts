export { certificateFolder, hasTls, isRemote, other, ownVariables } from "./derived";
export {
  findViolations,
  readSettings,
  type Container,
  type Health,
  type Proxy,
  type Settings,
  type Tls,
} from "./read";
export { COLORS, LEGO_IMAGE, NGINX_IMAGE, REDIS_IMAGE, type Color } from "./schema";
export { refuse, violationsInWords, type Violation } from "./violations";
