/**
 * What a commit waits for on local disk: its files are synced side by side and their folder once, and only then is the pointer
 * swapped. Counted where storage asks the disk; a sync is answered only once all three are under way.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { DiskSync, FaultPoint, layerLocal } from "@frazil/core"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { layerSqliteCatalog } from "../../src/catalog/SqliteCatalog.ts"
import { FileIO } from "../../src/io/FileIO.ts"
import { eventFile } from "../LakeFixtures.ts"
import { appendRaw, createRaw } from "../LakeHarness.ts"

const kindOf = (path: string): string =>
  /metadata\.json/.test(path)
    ? "metadata"
    : /snap-/.test(path)
      ? "list"
      : /-m\d\.avro/.test(path)
        ? "manifest"
        : basename(path)

describe("a commit on local disk", () => {
  it.live("waits for the disk twice: for its files at once, for their folder; then it swaps", () =>
    Effect.gen(function* () {
      const root = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-commit-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
      )
      const waits: Array<string> = []
      let waiting: Array<() => void> | undefined
      const sync = (_handle: unknown, path: string, kind: "file" | "folder"): Promise<void> => {
        if (waiting === undefined) return Promise.resolve()
        waits.push(`${kind} ${kindOf(path)}`)
        if (kind === "folder") return Promise.resolve()
        return new Promise((resolve) => {
          waiting?.push(resolve)
          if (waiting?.length === 3) for (const each of waiting) each()
        })
      }
      const lake = layerSqliteCatalog({ file: join(root, "catalog.db"), warehouse: root }).pipe(
        Layer.provideMerge(FileIO.layer),
        Layer.provideMerge(layerLocal(root))
      )
      yield* Effect.gen(function* () {
        yield* createRaw
        waiting = []
        yield* appendRaw([eventFile("a", 20_000, 0, 10)])
      }).pipe(
        Effect.provide(lake),
        Effect.provideService(DiskSync, { sync }),
        Effect.provideService(FaultPoint, { hit: (name) => Effect.sync(() => void waits.push(name)) })
      )
      assert.deepStrictEqual(waits.slice(0, 3).sort(), ["file list", "file manifest", "file metadata"])
      assert.deepStrictEqual(waits.slice(3), ["folder metadata", "before-swap", "after-swap"])
    })
  )
})
