import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { dataDirectory } from "../../src/DataDirectory.ts"
import { tellAddress } from "../../src/health/ApiChecks.ts"

it.live("a gateway that starts removes what killed ones have left, and nothing of those that run", () =>
  Effect.gen(function* () {
    const root = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-api-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    const directory = dataDirectory(root)
    mkdirSync(directory.locksFolder, { recursive: true })
    yield* tellAddress(directory, "http://127.0.0.1:2")
    for (const name of ["api.127.0.0.1%3A3.lock", "transactions.lock"])
      writeFileSync(join(directory.locksFolder, name), "")
    yield* tellAddress(directory, "http://127.0.0.1:4")
    const locks = readdirSync(directory.locksFolder).filter((name) => name.endsWith(".lock"))
    assert.deepStrictEqual(locks.sort(), ["api.127.0.0.1%3A2.lock", "api.127.0.0.1%3A4.lock", "transactions.lock"])
  })
)
