import { describe, expect, it } from "vitest"
import { comments } from "../../../src/tidy/rules/Comments.ts"
import { documents } from "../../../src/tidy/rules/Documents.ts"
import { droppedEffects } from "../../../src/tidy/rules/DroppedEffects.ts"
import { forbiddenText } from "../../../src/tidy/rules/ForbiddenText.ts"
import { found, manifest } from "../Fixture.ts"

describe("forbidden text", () => {
  const check = (text: string, path = "packages/core/src/A.ts") => found(forbiddenText, { [path]: text })

  it("finds hidden time and chance in code, not in comments", () => {
    for (const text of ["Date.now()", "new Date( )", "performance.now()", "Math.random()", "setTimeout(f, 1)"]) {
      expect(check(`const a = ${text}`), text).toHaveLength(1)
      expect(check(`// unlike ${text}\nconst a = 1`), text).toEqual([])
    }
    expect(check("const a = new Date(0)")).toEqual([])
    expect(check("const a = performance.now()", "bench/src/A.ts")).toEqual([])
  })
  it("finds any, but not the word", () => {
    const word = "any"
    for (const text of [
      `x as ${word}`,
      `const a: ${word} = 1`,
      `type A = Array<${word}>`,
      `type F = (a: ${word}) => 1`
    ]) {
      expect(check(text), text).toHaveLength(1)
    }
    expect(check(`const any = [1]\nfoo(any)\nconst text = "in any case"`)).toEqual([])
  })
  it("finds switched-off checks and tests", () => {
    expect(check("// @ts-" + "ignore\nconst a = 1")[0]).toContain("A.ts:1")
    expect(check("// @ts-" + "expect-error\nconst a = 1")).toHaveLength(1)
    expect(check("// @ts-" + "expect-error\nconst a = 1", "packages/core/test/A.test.ts")).toEqual([])
    expect(check("it.effect" + ".only(1)", "packages/core/test/A.test.ts")).toHaveLength(1)
    expect(check("it.skipIf(x)(1)\nStream.skip(1)", "packages/core/test/A.test.ts")).toEqual([])
  })
  it("finds left-over notes and paths of one machine in every text", () => {
    expect(check("# TO" + "DO later", "docs/a.md")).toHaveLength(1)
    expect(check("see /wo" + "rk/main", "docs/a.md")).toHaveLength(1)
    expect(check("see https://example.org/wo" + "rk/main and docs/tm" + "p/a", "docs/a.md")).toEqual([])
  })
})

describe("comments", () => {
  const check = (text: string) =>
    found(comments, { "packages/core/package.json": manifest("core"), "packages/core/src/A.ts": text })

  it("asks for a module's opening", () => {
    expect(check("export const a = 1")[0]).toContain("open the module")
    expect(check("/** What it is. */\nexport const a = 1")).toEqual([])
  })
  it("asks for a cast's reason", () => {
    expect(check("/** What it is. */\n\nconst a = b as C")[0]).toContain("A.ts:3 a cast (as) needs its reason")
    expect(check("/** What it is. */\n\nconst a = b as C // checked above")).toEqual([])
    expect(check("/** What it is. */\n\n// checked above\nconst a = b as C")).toEqual([])
    expect(check("/** What it is. */\n\nconst a = [1] as const")).toEqual([])
  })
})

describe("dropped effects", () => {
  it("finds an Effect that nobody runs", () => {
    const check = (text: string) => found(droppedEffects, { "apps/cli/src/A.ts": text })
    expect(check("function* f() {\n  Effect.log(1)\n}")[0]).toContain("A.ts:2 this Effect is made and dropped")
    expect(check("function* f() {\n  yield* Effect.log(1)\n  Effect.runSync(a)\n}")).toEqual([])
  })
})

describe("documents", () => {
  it("finds links that lead nowhere, outside of code", () => {
    const text = "[a](docs/a.md#part) [b](b.md) `[c](c.md)` [d](https://d.org) [e](#e)\n```\n[f](f.md)\n```"
    expect(found(documents, { "README.md": text, "docs/a.md": "" })).toEqual([
      `README.md:1 "b.md" leads nowhere: correct or remove it`
    ])
  })
  it("finds names of source files that are gone", () => {
    const files = { "packages/core/src/a/B.ts": "", "README.md": "`core/a/B.ts` `a/B.ts` `B.ts` `a/C.ts` `x b.ts`" }
    expect(found(documents, files)).toEqual([`README.md:1 "a/C.ts" is no source file: correct or remove the name`])
  })
  it("asks each package for a README with its parts", () => {
    const files = { "packages/core/package.json": manifest("core"), "packages/core/src/index.ts": "" }
    expect(found(documents, files)[0]).toContain("**Data path**, **Guarantees**, **Limits**")
    const readme = "**Data path** a\n\n**Guarantees** b\n\n**Limits** c"
    expect(found(documents, { ...files, "packages/core/README.md": readme })).toEqual([])
  })
})
