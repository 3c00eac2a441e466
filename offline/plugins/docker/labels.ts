import type { Field } from "./fields.ts";

export interface Label {
  label: string;
  value: string;
}

export const labelsField: Field = {
  type: "set",
  of: { label: { type: "string", required: true }, value: { type: "string", required: true } },
  replaces: true,
};

export function toMap(labels: unknown): Record<string, string> | undefined {
  if (!Array.isArray(labels)) return undefined;
  return Object.fromEntries((labels as Label[]).map(({ label, value }) => [label, value]));
}

export function fromMap(labels: Record<string, string> | null | undefined): Label[] {
  return Object.entries(labels ?? {}).map(([label, value]) => ({ label, value }));
}
