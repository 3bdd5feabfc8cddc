import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { openDuckDbFile } from "../../src/index.ts"
import { temporaryFolder } from "../embedded/TemporaryFolder.ts"
import { claimsCases, claimsLookup } from "./ClaimsCases.ts"

describe("a lookup in a DuckDB file", () => {
  it.live("finds claims, says which are missing, and refuses rows that make no sense", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "claims.duckdb")
      yield* Effect.scoped(Effect.flatMap(openDuckDbFile("claims", { kind: "duckdb", file }, "write"), claimsCases))
      // what was written is there for a reader, who cannot change it
      const client = yield* openDuckDbFile("claims", { kind: "duckdb", file }, "read")
      assert.strictEqual((yield* claimsLookup(client).lookup("CL1")).member_id, "ME1")
      assert.strictEqual((yield* Effect.flip(client.query("DELETE FROM claims"))).reason, "Failed")
    })
  )

  it.live("gives up a statement that is interrupted, and answers the next", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "claims.duckdb")
      const client = yield* openDuckDbFile("claims", { kind: "duckdb", file }, "write")
      const slow = yield* Effect.forkChild(
        client.query("SELECT count(*)::VARCHAR FROM range(100000000) a, range(100000000) b"),
        { startImmediately: true }
      )
      yield* Effect.sleep(50)
      yield* Fiber.interrupt(slow)
      assert.deepStrictEqual(yield* client.query("SELECT CAST(7 AS VARCHAR)"), [["7"]])
    })
  )

  it.live("is closed under statements at any moment of theirs", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "claims.duckdb")
      for (let round = 0; round < 40; round++) {
        const asking = Effect.flatMap(openDuckDbFile("claims", { kind: "duckdb", file }, "write"), (client) =>
          Effect.all(
            Array.from({ length: 4 }, () => client.query("SELECT count(*)::VARCHAR FROM range(3000000) a, range(9) b")),
            { concurrency: "unbounded" }
          )
        )
        const fiber = yield* Effect.forkChild(Effect.scoped(asking), { startImmediately: true })
        yield* Effect.sleep(round)
        yield* Fiber.interrupt(fiber)
      }
      const client = yield* openDuckDbFile("claims", { kind: "duckdb", file }, "write")
      assert.deepStrictEqual(yield* client.query("SELECT CAST(7 AS VARCHAR)"), [["7"]])
    })
  )

  it.live("says that there is no such file", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "none.duckdb")
      const error = yield* Effect.flip(openDuckDbFile("claims", { kind: "duckdb", file }, "read"))
      assert.include(error.message, `connection "claims": its DuckDB file failed`)
    })
  )
})
