
;(async () => {
  const { writeSync } = await import("node:fs");
  const spell = (value) => {
    if (value === undefined || value === null) return "None";
    if (typeof value === "boolean") return value ? "True" : "False";
    if (typeof value === "number") return String(value);
    if (typeof value === "bigint") return value.toString();
    if (typeof value === "string") return JSON.stringify(value);
    if (Array.isArray(value)) return `[${value.map(spell).join(", ")}]`;
    if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype)
      return `{${Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${spell(one)}`).join(", ")}}`;
    throw new TypeError(`${typeof value} is no plain value`);
  };
  let told;
  try {
    const value = await eval(`(${process.argv[2]})`);
    try {
      told = { outcome: "value", text: spell(value) };
    } catch {
      told = { outcome: "other", text: String(value).slice(0, 200), foreign: "1" };
    }
  } catch (error) {
    told = { outcome: "error", text: `${error?.name ?? "Error"}: ${error?.message ?? error}`, code: String(error?.name ?? "Error") };
  }
  writeSync(3, JSON.stringify(told) + "\n");
  process.exit(0);
})();
