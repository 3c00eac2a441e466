import { Ingress, readConfig } from "bluegreen";

const web = new Ingress("web", readConfig("web"));

export const name = web.name;
