import { PolicyPack } from "@pulumi/policy";
import { rules } from "./rules";

new PolicyPack("bluegreen", { enforcementLevel: "mandatory", policies: rules });
