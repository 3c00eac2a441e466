import type { Context } from "./context";
import { isTree } from "./file";
import { hostPath, mountOf, type Mount } from "./mounts";
import type { Place } from "./problem";
import { nameOnHost } from "./project";
import { isNothing } from "./rows";

// Volumes, folders and files of the host.

export function mapVolumes(context: Context): void {
  const { findings, service } = context;
  const adder = new Adder(context);
  for (const [i, item] of (Array.isArray(service.volumes) ? service.volumes : []).entries()) {
    const mount = mountOf(item);
    const from = ["volumes", i];
    if (mount === undefined) findings.leave(from, `${JSON.stringify(item)} is no mount`, "set volumes.");
    else adder.mount(mount, from);
  }
  if ("volumes" in service && isNothing(service.volumes)) findings.holds(["volumes"], "is empty");
  for (const key of ["secrets", "configs"] as const) adder.files(key);
}

class Adder {
  private count = 0;
  constructor(private readonly context: Context) {}

  private add(volume: object, from: Place): void {
    this.context.findings.set(["volumes", this.count++], volume, from);
  }

  mount({ type, source, target, readOnly, options, size, mode }: Mount, from: Place): void {
    const { findings, project } = this.context;
    const rest = { containerPath: target, ...(readOnly && { readOnly }) };
    if (type === "tmpfs") {
      const given = [size && `size=${size}`, mode && `mode=${Number(mode).toString(8)}`];
      findings.set(["container", "tmpfs", target], given.filter(Boolean).join(","), from);
    } else if (type === "volume" && source !== undefined) {
      this.add({ volumeName: nameOnHost(project, "volumes", source), ...rest }, from);
      this.remarkOnDriver(source, from);
    } else if (type === "volume")
      findings.leave(
        from,
        `${target} has no name: each container would have one of its own, and lose it`,
        "give it a name, as volumeName of volumes; or use container.tmpfs if it need not be kept.",
      );
    else if (type === "bind" && source !== undefined && !/^([A-Za-z]:|\\\\)/.test(source)) {
      const path = hostPath(source, project.folder);
      this.add({ hostPath: path, ...rest }, from);
      if (path === project.folder)
        findings.remark(
          from,
          `${path} hides what the image has in ${target}: then a release changes nothing there. Leave it out if it is for developing`,
        );
    } else
      findings.leave(
        from,
        `${target} is of type ${type}, which has no setting`,
        "there are folders of the host and Docker volumes: volumes.",
      );
    for (const option of options)
      findings.leave(
        from,
        `${option} of ${target} has no setting`,
        "the mount is made without it: see whether the service works so.",
      );
  }

  private remarkOnDriver(source: string, from: Place): void {
    const all = this.context.project.content.volumes;
    const one = isTree(all) && isTree(all[source]) ? all[source] : {};
    if (one.driver_opts !== undefined || (one.driver !== undefined && one.driver !== "local"))
      this.context.findings.remark(
        from,
        `${source} has a driver or options of its own. They hold where the volume is there already; one that is missing is made without them`,
      );
  }

  /** Docker Compose mounts the files of secrets and configs; the component can do the same. */
  files(key: "secrets" | "configs"): void {
    const { findings, project, service } = this.context;
    for (const [i, item] of (Array.isArray(service[key]) ? (service[key] as unknown[]) : []).entries()) {
      const from = [key, i];
      const { source, target, ...details } = isTree(item) ? item : { source: item, target: undefined };
      const name = String(source);
      const all = project.content[key];
      const one = isTree(all) && isTree(all[name]) ? all[name] : {};
      const to = typeof target === "string" ? target : key === "secrets" ? name : `/${name}`;
      const containerPath = to.startsWith("/") ? to : `/run/secrets/${to}`;
      if (typeof one.file === "string")
        this.add({ hostPath: hostPath(one.file, project.folder), containerPath, readOnly: true }, from);
      else
        findings.leave(
          from,
          `${name} is no file`,
          "put it into a file of the Docker host and mount that, by volumes; or make it a secret variable of env.",
        );
      if (Object.keys(details).length > 0)
        findings.leave(
          from,
          `${Object.keys(details).join(", ")} of ${name} has no setting`,
          "the file has the rights that it has on the host.",
        );
    }
    if (key in service && isNothing(service[key])) findings.holds([key], "is empty");
  }
}
