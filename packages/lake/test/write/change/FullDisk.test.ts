/** A disk that is full in the middle of a data file: DuckDB's files in the making lie on one of its own. */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { DuckDb } from "../../../src/io/DuckDb.ts"
import { compactTable } from "../../../src/maintenance/Compact.ts"
import { removeOrphans } from "../../../src/maintenance/RemoveOrphans.ts"
import { appendRows, overwriteRows } from "../../../src/write/change/AppendRows.ts"
import { deleteRows } from "../../../src/write/change/DeleteRows.ts"
import { createAccounts, layerLake, load, readAccounts, table } from "./ChangeFixture.ts"

const canMount = process.platform === "linux" && process.getuid?.() === 0

/** A file system of its own, as large as told; only root can have one. */
const mounted = (bytesMax: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const path = join(mkdtempSync(join(tmpdir(), "frazil-full-")), "disk")
      mkdirSync(path)
      const mount = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${bytesMax}`, "tmpfs", path])
      assert.strictEqual(mount.status, 0, String(mount.stderr))
      return path
    }),
    (path) =>
      Effect.sync(() => {
        spawnSync("umount", [path])
        rmSync(join(path, ".."), { recursive: true, force: true })
      })
  )

/** Texts that do not compress: a hundred kilobytes of Parquet. */
const rows =
  "SELECT i AS id, md5(i::VARCHAR) || md5((i + 7)::VARCHAR) AS country, 1.00 AS balance FROM range(3000) AS r(i)"

const changes = {
  append: Effect.asVoid(appendRows(table, rows)),
  overwrite: Effect.asVoid(overwriteRows(table, undefined, rows)),
  delete: Effect.asVoid(deleteRows(table, { _tag: "Compare", column: "id", operator: "<", value: 10n })),
  compaction: Effect.asVoid(compactTable(table, { inputFilesMin: 2 }))
}

describe("a disk that is full in the middle of a file", () => {
  for (const [what, change] of Object.entries(changes)) {
    it.live.skipIf(!canMount)(`stops ${what} with Full, the table as it was, and nothing left (needs root)`, () =>
      Effect.gen(function* () {
        yield* createAccounts([])
        yield* appendRows(table, rows)
        yield* appendRows(table, rows)
        const before = yield* load
        const seen = yield* readAccounts()
        const small = Layer.fresh(DuckDb.layer({ dataDirectory: yield* mounted(48 * 1024) }))
        const error = yield* Effect.flip(Effect.provide(change, small))
        assert.strictEqual(error.reason, "Full", error.message)
        assert.match(error.message, /the disk is full; make room/)
        assert.strictEqual((yield* load).metadataLocation, before.metadataLocation)
        assert.deepStrictEqual(yield* readAccounts(), seen)
        const left = yield* removeOrphans(table, { dryRun: true, ageMsMin: -1_000 })
        assert.deepStrictEqual(left.removed, [])
        // with room it goes on
        yield* change
      }).pipe(Effect.provide(layerLake))
    )
  }
})
