import { assert, it } from "@effect/vitest"
import { negotiate } from "../../src/http/Accept.ts"

const offered = ["application/json", "text/csv"] as const

it("takes the type that is wanted most, and the first without a wish", () => {
  const cases: ReadonlyArray<readonly [string | undefined, string | undefined]> = [
    [undefined, "application/json"],
    ["", "application/json"],
    ["*/*", "application/json"],
    ["text/csv", "text/csv"],
    ["TEXT/CSV; q=0.1", "text/csv"],
    ["text/*, */*;q=0.1", "text/csv"],
    ["application/json;q=0.2, text/csv;q=0.3", "text/csv"],
    ["application/json;q=0, */*", "text/csv"],
    ["text/html", undefined],
    ["*/*;q=0", undefined],
    ["text/csv;q=x", undefined]
  ]
  for (const [accept, type] of cases) assert.strictEqual(negotiate(accept, offered), type, accept)
})
