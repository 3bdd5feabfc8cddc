/**
 * What local storage makes durable, and in which order: recorded where it asks the disk. A sync is answered only once all that must
 * be under way at that moment are, so that syncs one after another would wait for ever.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { DiskSync, layerLocal } from "../../src/storage/LocalStorage.ts"
import { Storage } from "../../src/storage/Storage.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-syncs-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const objectsIn = (root: string, names: ReadonlyArray<string>) =>
  names.map((name) => ({ uri: `file://${root}/${name}`, bytes: new TextEncoder().encode(name) }))

/** Syncs of files wait for each other until `together` are under way. */
const recorder = (together: number) => {
  const synced: Array<string> = []
  const waiting: Array<() => void> = []
  const sync = (_handle: unknown, path: string, kind: "file" | "folder") => {
    synced.push(`${kind} ${kind === "file" ? basename(path).split(".")[0] : basename(path)}`)
    if (kind === "folder") return Promise.resolve()
    return new Promise<void>((resolve) => {
      waiting.push(resolve)
      if (waiting.length === together) for (const each of waiting.splice(0)) each()
    })
  }
  return { synced, sync }
}

describe("LocalStorage", () => {
  it.live("syncs the files of one write side by side, and their folder once, before it answers", () =>
    Effect.gen(function* () {
      const root = yield* folder
      // made by somebody else, perhaps not durable yet: what the root says of it is synced the first time
      mkdirSync(join(root, "t"))
      const { sync, synced } = recorder(3)
      const storage = yield* Effect.provideService(Effect.provide(Storage, layerLocal(root)), DiskSync, { sync })
      yield* storage.writeNewAll(objectsIn(root, ["t/a", "t/b", "t/c"]))
      assert.deepStrictEqual(synced.splice(0, 1), [`folder ${basename(root)}`])
      assert.deepStrictEqual(synced.splice(0, 3).sort(), ["file a", "file b", "file c"])
      assert.deepStrictEqual(synced.splice(0), ["folder t"])
      yield* storage.writeNewAll(objectsIn(root, ["t/d", "t/e", "t/f"]))
      assert.deepStrictEqual(synced.splice(0, 3).sort(), ["file d", "file e", "file f"])
      assert.deepStrictEqual(synced, ["folder t"])
      assert.deepStrictEqual(readdirSync(join(root, "t")).sort(), ["a", "b", "c", "d", "e", "f"])
    })
  )

  it.live("gives no file its name before all of them are synced", () =>
    Effect.gen(function* () {
      const root = yield* folder
      const named: Array<ReadonlyArray<string>> = []
      const sync = (_handle: unknown, path: string) => {
        named.push(
          readdirSync(path.endsWith("-part") ? dirname(path) : path)
            .filter((name) => !name.includes("."))
            .sort()
        )
        return Promise.resolve()
      }
      yield* Storage.use((storage) => storage.writeNewAll(objectsIn(root, ["a", "b"]))).pipe(
        Effect.provide(layerLocal(root)),
        Effect.provideService(DiskSync, { sync })
      )
      assert.deepStrictEqual(named, [[], [], ["a", "b"]])
    })
  )

  it.live("answers with the file that could not be written, and leaves no file in the making", () =>
    Effect.gen(function* () {
      const root = yield* folder
      const [a, b, c] = objectsIn(root, ["a", "b", "c"])
      const storage = yield* Effect.provide(Storage, layerLocal(root))
      yield* storage.writeNewAll([b!])
      const error = yield* Effect.flip(storage.writeNewAll([a!, b!, c!]))
      assert.deepStrictEqual([error.reason, error.uri], ["AlreadyExists", b!.uri])
      assert.isEmpty(readdirSync(root).filter((name) => name.includes("frazil-part")))
    })
  )
})
