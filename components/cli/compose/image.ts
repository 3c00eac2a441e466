/** The parts of an image's name. Docker Hub's own prefixes are left off. */
export function parseImage(image: string): { repository: string; tag?: string; digest?: string } {
  const [, name = image, tag, digest] = /^(.+?)(?::([\w.-]+))?(?:@(\S+))?$/.exec(image) ?? [];
  return { repository: name.replace(/^(docker\.io\/)?(library\/)?/, ""), tag, digest };
}

/** Its last part: "nginx" of "jwilder/nginx". */
export const shortName = (image: string): string => parseImage(image).repository.replace(/^.*\//, "");
