// The calls of the variable library.
import { call } from "../common/calls.js";

function path(name) {
  return `variables/${name.split("/").map(encodeURIComponent).join("/")}`;
}

export function listVariables() {
  return call("variables");
}

/** A variable with all of its values. */
export function readVariable(name) {
  return call(`${path(name)}?all=1`);
}

export function writeVariable(name, { values, description, version }) {
  const body = { values, description };
  if (version) body.version = version;
  return call(path(name), { method: "PUT", body });
}

export function deleteVariable(name) {
  return call(path(name), { method: "DELETE" });
}

/** Values that a model invents, unlike `existing`; nothing is saved. */
export function inventValues({ name, count, guidance, creativity, existing }, signal) {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const body = { name, count, guidance, creativity, existing, seed, save: false };
  return call("variables/generate", { method: "POST", body, signal });
}

/** One value a line, without empty ones. */
export function valuesOf(text) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean);
}
