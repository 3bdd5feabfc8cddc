import { describe, expect, it } from "vitest"
import { importGraph } from "../../../src/tidy/rules/ImportGraph.ts"
import { found, manifest } from "../Fixture.ts"

const workspace = "workspace:*"
const rooms = {
  "package.json": JSON.stringify({ devDependencies: { vitest: "5.1.1" } }),
  "packages/core/package.json": manifest("core", { effect: "4.1.0" }),
  "packages/core/src/index.ts": "export const one = 1",
  "packages/engine/package.json": manifest("engine", { "@frazil/core": workspace }),
  "packages/engine/src/index.ts": `import { one } from "@frazil/core"\nexport const two = one + 1`,
  "packages/lake/package.json": manifest("lake", { "@frazil/core": workspace, "@frazil/engine": workspace }),
  "packages/sim/package.json": manifest("sim", { "@frazil/core": workspace }),
  "packages/sim/src/index.ts": "export const three = 3",
  "apps/cli/package.json": manifest("cli", { "@frazil/sim": workspace }),
  "apps/api/package.json": manifest("api", { "@frazil/sim": workspace }),
  "apps/generator/package.json": manifest("generator", { "@frazil/sim": workspace, "@frazil/cli": workspace })
}
const check = (path: string, text: string) => found(importGraph, { ...rooms, [path]: text })

describe("import graph", () => {
  it("finds nothing wrong where imports follow the graph", () => {
    expect(found(importGraph, rooms)).toEqual([])
    expect(check("apps/generator/src/main.ts", `import { three } from "@frazil/sim"`)).toEqual([])
  })
  it("refuses an import against the graph, types included", () => {
    expect(check("packages/core/src/Bad.ts", `\nimport type { two } from "@frazil/engine"`)).toEqual([
      `packages/core/src/Bad.ts:2 import of "@frazil/engine": packages/core may import nothing of ours: move the code, or pass the value in`
    ])
    expect(check("packages/lake/src/Bad.ts", `export type T = import("@frazil/sim").X`)[0]).toContain(
      "only tests, benches and apps"
    )
  })
  it("refuses an app that imports sim or another app", () => {
    expect(check("apps/api/src/main.ts", `import { three } from "@frazil/sim"`)[0]).toContain("may import sim")
    expect(check("apps/generator/src/main.ts", `import "@frazil/cli"`)[0]).toContain("no package may import an app")
  })
  it("lets tests import any package that is declared", () => {
    const text = `import { it } from "vitest"\nimport { two } from "@frazil/engine"`
    const declared = {
      ...rooms,
      "packages/core/package.json": JSON.stringify({
        name: "@frazil/core",
        exports: { ".": "./src/index.ts" },
        devDependencies: { "@frazil/engine": workspace }
      }),
      "packages/core/test/A.test.ts": text
    }
    expect(found(importGraph, declared)).toEqual([])
    expect(check("packages/core/test/A.test.ts", text)[0]).toContain("@frazil/engine is not declared")
  })
  it("refuses a package that is not declared, a deep import and one runtime's own modules", () => {
    expect(check("packages/core/src/A.ts", `import "left-pad"`)[0]).toContain("add it to packages/core/package.json")
    expect(check("packages/engine/src/A.ts", `import "@frazil/core/src/Decimal.ts"`)[0]).toContain(
      `import from "@frazil/core"`
    )
    expect(check("packages/core/src/A.ts", `import "bun:sqlite"`)[0]).toContain("one runtime only")
  })
  it("refuses relative imports that leave the package, lead nowhere or reach from src into test", () => {
    expect(check("packages/engine/src/A.ts", `import "../../core/src/index.ts"`)[0]).toContain("leaves the package")
    expect(check("packages/engine/src/A.ts", `import "./B.js"`)[0]).toContain("no such file")
    expect(check("packages/engine/src/A.ts", `export * from "../test/B.ts"`)[0]).toContain("may not import test")
  })
  it("keeps I/O out of the rooms that promise none", () => {
    expect(check("packages/lake/src/spec/A.ts", `import "node:fs"`)[0]).toContain("spec holds the format, without I/O")
    expect(check("packages/lake/src/io/A.ts", `import "node:fs"`)).toEqual([])
  })
})
