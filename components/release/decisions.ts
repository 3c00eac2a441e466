import * as pulumi from "@pulumi/pulumi";
import type { Former } from "./plan";

/** The children of a component, and of each whether the engine makes a new one. */
export class Decisions {
  private readonly children = new Map<string, pulumi.Resource>();

  constructor(private readonly component: string) {}

  /** The component's options, with which all its children are noted. */
  noting(opts: pulumi.ComponentResourceOptions = {}): pulumi.ComponentResourceOptions {
    const note: pulumi.ResourceTransformation = ({ name, resource }) => {
      if (name !== this.component) {
        this.children.set(name.slice(this.component.length + 1), resource);
      }
      return undefined;
    };
    return { ...opts, transformations: [...(opts.transformations ?? []), note] };
  }

  /** By their names without the component's own. */
  get declared(): string[] {
    return [...this.children.keys()];
  }

  /**
   * Whether a new one is made, once the engine has decided it. Nobody else knows: not only a setting replaces a resource, but
   * also what is gone from the host, or what a plugin reads back in another way.
   */
  async isMade(child: string, former: Pick<Former, "children">): Promise<boolean> {
    const resource = this.children.get(child);
    // Of a component the engine makes nothing.
    if (!pulumi.CustomResource.isInstance(resource)) return false;
    if (!(child in former.children)) return true;
    // In a preview only what stays has an id.
    const id = await known(resource.id);
    if (id === undefined) return true;
    const { triggers } = resource as { triggers?: pulumi.Output<string[] | undefined> };
    const mark = markOf({ id, triggers: triggers && (await known(triggers)) });
    const before = former.children[child];
    return before !== undefined && mark !== before;
  }
}

/** What of a resource is another when it was replaced. A command's id is not among its outputs. */
export const markOf = ({ id, triggers }: { id?: string; triggers?: string[] }): string | undefined =>
  triggers === undefined ? id : JSON.stringify(triggers);

/** Undefined for what a preview can't know yet. */
export async function known<T>(output: pulumi.Output<T>): Promise<pulumi.Unwrap<T> | undefined> {
  // The SDK tells it, but its types don't.
  const { isKnown } = output as unknown as { isKnown: Promise<boolean> };
  if (!(await isKnown)) return undefined;
  return new Promise((resolve) => output.apply((value) => resolve(value as pulumi.Unwrap<T>)));
}
