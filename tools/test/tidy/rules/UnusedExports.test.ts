import { describe, expect, it } from "vitest"
import { unusedExports } from "../../../src/tidy/rules/UnusedExports.ts"
import { found, manifest } from "../Fixture.ts"

const rooms = {
  "packages/core/package.json": manifest("core"),
  "packages/engine/package.json": manifest("engine", { "@frazil/core": "workspace:*" })
}
const check = (files: Readonly<Record<string, string>>) => found(unusedExports, { ...rooms, ...files })

describe("exports of a package", () => {
  const core = {
    "packages/core/src/index.ts": `export { used, spare } from "./A.ts"\nexport * as Space from "./B.ts"`,
    "packages/core/src/A.ts": "export const used = 1\nexport const spare = 2",
    "packages/core/src/B.ts": "export const taken = 1\nexport const left = 2"
  }
  const engine = { "packages/engine/src/index.ts": `import { used, Space } from "@frazil/core"\nused + Space.taken` }

  it("must be used outside its src", () => {
    expect(check({ ...core, ...engine })).toEqual([
      `packages/core/src/index.ts:1 "spare" is used nowhere outside packages/core/src: take it out of the package's exports`
    ])
  })
  it("count as used by a test, through the origin too, and by code in a document", () => {
    expect(
      check({ ...core, ...engine, "packages/core/test/A.test.ts": `import { spare } from "../src/A.ts"\nspare` })
    ).toEqual([])
    expect(check({ ...core, ...engine, "README.md": "```ts\nspare()\n```" })).toEqual([])
    expect(check({ ...core, ...engine, "README.md": "spare" })).toHaveLength(1)
  })
  it("may be types that appear in what is used", () => {
    const text = "export interface Options { readonly a: number }\nexport const make = (options: Options) => options"
    const user = { "packages/engine/src/index.ts": `import { make } from "@frazil/core"\nmake({ a: 1 })` }
    const index = { "packages/core/src/index.ts": `export { make, type Options } from "./A.ts"` }
    expect(check({ ...index, ...user, "packages/core/src/A.ts": text })).toEqual([])
  })
})

describe("exports of an internal module", () => {
  const module = (a: string, b: string) => ({ "packages/core/src/A.ts": a, "packages/core/src/B.ts": b })
  const lines = (files: Readonly<Record<string, string>>) => check(files).map((each) => each.replace(/^.*\.ts:/, ""))

  it("must be used by another module of the same src", () => {
    expect(lines(module("export const a = 1", `import { a } from "./A.ts"\na`))).toEqual([])
    expect(lines(module("export const a = 1\nexport const b = a", `import { b } from "./A.ts"\nb`))).toEqual([
      `1 "a" is imported by no other module of packages/core/src: drop the export`
    ])
    expect(lines(module("export const a = 1", ""))[0]).toContain("remove it")
  })
  it("may serve a test only when their own module uses them too", () => {
    const test = { "packages/core/test/A.test.ts": `import { a } from "../src/A.ts"\na` }
    expect(lines({ ...module("export const a = 1", ""), ...test })[0]).toContain("only tests use it")
    const live = module("export const a = 1\nexport const b = a", `import { b } from "./A.ts"\nb`)
    expect(lines({ ...live, ...test })).toEqual([])
  })
  it("are followed through a namespace, member by member unless it is passed on", () => {
    const text = "export const a = 1\nexport const b = 2"
    expect(lines(module(text, `import * as A from "./A.ts"\nA.a`))).toEqual([
      `2 "b" is imported by no other module of packages/core/src: remove it`
    ])
    expect(lines(module(text, `import * as A from "./A.ts"\nObject.keys(A)`))).toEqual([])
  })
})
