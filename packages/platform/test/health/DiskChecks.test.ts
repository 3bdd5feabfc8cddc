/** Where checkpoints go, when that is not the data directory. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import { dataDirectory } from "../../src/DataDirectory.ts"
import { checkCheckpoints } from "../../src/health/DiskChecks.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-health-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const checked = (root: string, checkpoints?: string) =>
  checkCheckpoints(dataDirectory(root, undefined, undefined, undefined, checkpoints))

describe("checkCheckpoints", () => {
  it.live("looks at the folder, or at the one that it will be made in", () =>
    Effect.gen(function* () {
      const root = yield* folder
      const elsewhere = yield* folder
      const made = { healthy: true, detail: "none yet; their folder can be made" }
      assert.deepInclude(yield* checked(root), made)
      assert.deepInclude(yield* checked(root, join(elsewhere, "not/there")), made)
      assert.deepInclude(yield* checked(root, elsewhere), { healthy: true, detail: `${elsewhere} can be written` })
      writeFileSync(join(elsewhere, "taken"), "")
      const taken = yield* checked(root, join(elsewhere, "taken/checkpoints"))
      assert.isFalse(taken.healthy)
      assert.include(taken.detail, `${elsewhere}/taken cannot be written`)
    }).pipe(Effect.scoped)
  )

  it.live("says what to do where nothing tells who we are on S3", () =>
    Effect.gen(function* () {
      const part = yield* checked(yield* folder, "s3://lake/state").pipe(
        Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown({}))
      )
      assert.isFalse(part.healthy)
      assert.match(part.detail, /nothing says who we are there: declare a connection of kind s3/)
    }).pipe(Effect.scoped)
  )
})
