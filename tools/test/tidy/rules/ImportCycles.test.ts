import { expect, it } from "vitest"
import { importCycles } from "../../../src/tidy/rules/ImportCycles.ts"
import { found, manifest } from "../Fixture.ts"

const files = (last: string) => ({
  "packages/core/package.json": manifest("core"),
  "packages/core/src/A.ts": `import { b } from "./B.ts"\nexport const a = b`,
  "packages/core/src/B.ts": `export * from "./C.ts"\nexport const b = 1`,
  "packages/core/src/C.ts": last
})

it("reports a cycle of values once, with the whole way round", () => {
  expect(found(importCycles, files(`import { a } from "./A.ts"\nexport const c = a`))).toEqual([
    "packages/core/src/A.ts:0 import cycle packages/core/src/A.ts → packages/core/src/B.ts → packages/core/src/C.ts → packages/core/src/A.ts: move what both need into a third file, or import the type only"
  ])
})
it("lets types go round", () => {
  expect(found(importCycles, files(`import type { a } from "./A.ts"\nexport type C = typeof a`))).toEqual([])
})
