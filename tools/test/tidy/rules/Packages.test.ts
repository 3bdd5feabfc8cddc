import { describe, expect, it } from "vitest"
import { dependencies } from "../../../src/tidy/rules/Dependencies.ts"
import { naming } from "../../../src/tidy/rules/Naming.ts"
import { unstableEffect } from "../../../src/tidy/rules/UnstableEffect.ts"
import { found, manifest } from "../Fixture.ts"

describe("naming", () => {
  const check = (path: string) => found(naming, { "packages/core/package.json": manifest("core"), [path]: "" })

  it("takes concepts, entries and tests by their suffix", () => {
    for (const path of ["src/index.ts", "src/main.ts", "src/a/Decimal.ts", "test/a/Decimal.facet.property.test.ts"]) {
      expect(check(`packages/core/${path}`), path).toEqual([])
    }
    for (const path of ["test/Decimal.test.ts", "test/Decimal.sim.test.ts", "test/Suite.ts", "test/Types.test-d.ts"]) {
      expect(check(`packages/core/${path}`), path).toEqual([])
    }
  })
  it("refuses other names", () => {
    expect(check("packages/core/src/a/decimal.ts")[0]).toContain("PascalCase")
    expect(check("packages/core/src/Decimal.test.ts")[0]).toContain("a test belongs below test/")
    expect(check("packages/core/test/Decimal.spec.ts")[0]).toContain("Concept.facet.test.ts")
    expect(check("packages/core/test/Decimal.property.sums.test.ts")[0]).toContain("stands right before")
    expect(check("packages/core/src/Big/Decimal.ts")[0]).toContain(`folder "Big"`)
  })
})

describe("dependencies", () => {
  const check = (own: object, files: Readonly<Record<string, string>> = {}) =>
    found(dependencies, {
      "package.json": JSON.stringify({ devDependencies: { effect: "4.1.0" } }),
      "packages/core/package.json": JSON.stringify({ name: "@frazil/core", ...own }),
      ...files
    })

  it("asks for exact versions, and one of each", () => {
    const src = { "packages/core/src/A.ts": `import "effect"\nimport "a"` }
    expect(check({ dependencies: { effect: "4.1.0", a: "1.5.6-r.1" } }, src)).toEqual([])
    expect(check({ dependencies: { effect: "4.0.9", a: "^1.0.0" } }, src)).toEqual([
      "packages/core/package.json:0 effect 4.0.9: . has 4.1.0, use one version",
      "packages/core/package.json:0 a ^1.0.0: pin an exact version"
    ])
  })
  it("refuses what is imported nowhere, or by tests only", () => {
    expect(check({ dependencies: { a: "1.0.0" } })[0]).toContain("a is imported nowhere: remove it")
    const test = { "packages/core/test/A.test.ts": `import "a/deep"` }
    expect(check({ dependencies: { a: "1.0.0" } }, test)[0]).toContain("move it to devDependencies")
    expect(check({ devDependencies: { a: "1.0.0" } }, test)).toEqual([])
  })
})

describe("unstable families of effect", () => {
  it("enter a package through one module", () => {
    const text = `import { Cli } from "effect/unstable/cli"`
    const files = { "packages/core/package.json": manifest("core"), "packages/core/src/A.ts": text }
    expect(found(unstableEffect, files)).toEqual([])
    expect(found(unstableEffect, { ...files, "packages/core/src/B.ts": text })).toEqual([
      "packages/core/src/B.ts:1 effect/unstable/cli is already reached through packages/core/src/A.ts: import what you need from there"
    ])
  })
})
