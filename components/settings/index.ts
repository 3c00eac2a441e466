export { COLORS, namesOf, other, readChild, type Color } from "./color";
export { certificateFolder, hasTls, isRedirected, isRemote, nearestFirst, ownVariables } from "./derived";
export {
  findViolations,
  readIngressSettings,
  readSettings,
  type ColorSettings,
  type Container,
  type Health,
  type IngressSettings,
  type Proxy,
  type Settings,
  type Tls,
  type Worker,
} from "./read";
export { LEGO_IMAGE, NGINX_IMAGE, REDIS_IMAGE } from "./schema";
export { refuse, violationsInWords, type Violation } from "./violations";
