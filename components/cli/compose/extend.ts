import { isTree, type Tree } from "./file";
import type { Place, Problem } from "./problem";
import { mountTarget } from "./mounts";

/** A service with what it extends, and where each part of it stands in the file. */
export interface Extended {
  service: Tree;
  placeOf: (path: Place) => Place;
}

/** `extends` within one file, by the rules of Docker Compose for each key. */
export function extend(services: Tree, name: string, refuse: (one: Problem) => never): Extended {
  const origins = new Origins();
  const visit = (current: string, seen: string[]): Part => {
    const place = ["services", current];
    const service = services[current];
    const own: Part = { value: isTree(service) ? service : {}, place };
    const base = baseOf(own.value as Tree, place, refuse);
    if (base === undefined) return own;
    if (seen.includes(base) || base === current)
      refuse({
        place: [...place, "extends"],
        reason: `goes round in a circle: ${[...seen, current, base].join(", ")}`,
        next: "take one of them out.",
      });
    if (!(base in services))
      refuse({
        place: [...place, "extends"],
        reason: `names the service ${base}, which is not in this file`,
        next: FLAT,
      });
    const under = visit(base, [...seen, current]);
    const { extends: _, ...rest } = own.value as Tree;
    return origins.merge(under, { value: rest, place }, []);
  };
  const { value } = visit(name, []);
  return { service: value as Tree, placeOf: (path) => origins.placeOf(path, ["services", name]) };
}

/** What Docker Compose itself makes of several files is one, and that can be imported. */
export const FLAT =
  "run 'docker compose config --no-path-resolution > flat.yml' and import flat.yml, which has all of it in one file (and its secrets: delete it afterwards).";

function baseOf(service: Tree, place: Place, refuse: (one: Problem) => never): string | undefined {
  const given = service.extends;
  if (typeof given === "string") return given;
  if (!isTree(given)) return undefined;
  if (given.file !== undefined)
    refuse({
      place: [...place, "extends", "file"],
      reason: `is ${JSON.stringify(given.file)}: only this file is read`,
      next: FLAT,
    });
  return String(given.service);
}

interface Part {
  value: unknown;
  place: Place;
}

/** Lists in which a later item takes the place of an earlier one with the same key. */
const KEY_OF: { [name: string]: (item: unknown) => unknown } = {
  volumes: mountTarget,
  tmpfs: beforeEquals,
  ports: (item) =>
    isTree(item) ? [item.host_ip, item.published, item.target, item.protocol].join() : String(item),
  ...Object.fromEntries(
    ["cap_add", "cap_drop", "dns", "dns_opt", "dns_search", "expose", "links", "profiles", "sysctls"].map(
      (name) => [name, beforeEquals],
    ),
  ),
  secrets: mountName,
  configs: mountName,
  env_file: (item) => (isTree(item) ? item.path : item),
};
function beforeEquals(item: unknown): unknown {
  return typeof item === "string" ? item.split("=")[0] : item;
}
function mountName(item: unknown): unknown {
  return isTree(item) ? (item.target ?? item.source) : item;
}

/** Either a map or a list. The map of a service's own and that of its base become one. */
const MAPS = ["environment", "labels", "annotations", "sysctls", "extra_hosts", "depends_on", "networks"];
const REPLACED = ["command", "entrypoint", "healthcheck.test"];
/** One value or a list of them. */
const LISTS = ["env_file", "label_file", "tmpfs", "dns", "dns_search"];

class Origins {
  private readonly places = new Map<string, Place>();

  placeOf(path: Place, whole: Place): Place {
    for (let length = path.length; length > 0; length--) {
      const place = this.places.get(JSON.stringify(path.slice(0, length)));
      if (place !== undefined) return [...place, ...path.slice(length)];
    }
    return [...whole, ...path];
  }

  private keep(path: Place, { place, value }: Part): unknown {
    this.places.set(JSON.stringify(path), place);
    return value;
  }

  /** What is under, with what is over it. */
  merge(under: Part, over: Part, path: Place): Part {
    const name = path.join(".");
    const place = over.place;
    if (over.value === null || over.value === undefined)
      return { value: this.keep(path, under), place: under.place };
    if (REPLACED.includes(name)) return { value: this.keep(path, over), place };
    if (path.length === 1 && MAPS.includes(name))
      return { value: this.mergeMaps(asMap(under), asMap(over), path), place };
    if (path.length === 1 && LISTS.includes(name))
      return { value: this.mergeLists(asList(under), asList(over), path), place };
    if (name === "logging" && isTree(under.value) && isTree(over.value)) {
      const drivers = [under.value.driver, over.value.driver];
      if (!drivers.includes(undefined) && drivers[0] !== drivers[1])
        return { value: this.keep(path, over), place };
    }
    if (path[0] === "ulimits" && path.length === 2) return { value: this.keep(path, over), place };
    if (Array.isArray(under.value) && Array.isArray(over.value))
      return { value: this.mergeLists(asList(under), asList(over), path), place };
    if (isTree(under.value) && isTree(over.value))
      return { value: this.mergeMaps(membersOf(under), membersOf(over), path), place };
    return { value: this.keep(path, over), place };
  }

  private mergeMaps(under: Map<string, Part>, over: Map<string, Part>, path: Place): Tree {
    const merged = new Map<string, unknown>();
    for (const [key, part] of under) {
      const other = over.get(key);
      const here = [...path, key];
      merged.set(key, other === undefined ? this.keep(here, part) : this.merge(part, other, here).value);
    }
    for (const [key, part] of over) if (!under.has(key)) merged.set(key, this.keep([...path, key], part));
    return Object.fromEntries(merged);
  }

  private mergeLists(under: Part[], over: Part[], path: Place): unknown[] {
    const keyOf = KEY_OF[String(path[0])] ?? (() => undefined);
    const all: Part[] = [];
    for (const part of [...under, ...over]) {
      const key = keyOf(part.value);
      const former = key === undefined ? -1 : all.findIndex(({ value }) => keyOf(value) === key);
      if (former === -1) all.push(part);
      else all[former] = part;
    }
    return all.map((part, i) => this.keep([...path, i], part));
  }
}

const membersOf = ({ value, place }: Part): Map<string, Part> =>
  new Map(
    Object.entries(value as Tree).map(([key, inner]) => [key, { value: inner, place: [...place, key] }]),
  );

function asMap(part: Part): Map<string, Part> {
  if (!Array.isArray(part.value)) return isTree(part.value) ? membersOf(part) : new Map<string, Part>();
  const members = part.value.map((item, i): [string, Part] => {
    const text = String(item);
    const cut = /[=]/.exec(text)?.index ?? (part.place.includes("extra_hosts") ? text.indexOf(":") : -1);
    const [key, value] = cut === -1 ? [text, null] : [text.slice(0, cut), text.slice(cut + 1)];
    return [key, { value, place: [...part.place, i] }];
  });
  return new Map(members);
}

function asList({ value, place }: Part): Part[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) return [{ value, place }];
  return (value as unknown[]).map((inner, i) => ({ value: inner, place: [...place, i] }));
}
