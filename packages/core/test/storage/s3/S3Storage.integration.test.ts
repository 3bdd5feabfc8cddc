import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { s3Keys, s3Server } from "@frazil/sim/servers"
import { Effect, Exit, Fiber, Layer, Redacted, Scope } from "effect"
import { afterAll } from "vitest"
import { HttpCalls } from "../../../src/http/HttpCalls.ts"
import { FileCache } from "../../../src/storage/cache/FileCache.ts"
import { s3LimitsDefault, type S3Options } from "../../../src/storage/s3/S3Options.ts"
import { layerS3 } from "../../../src/storage/s3/S3Storage.ts"
import { Storage } from "../../../src/storage/Storage.ts"
import { storageConformance } from "../StorageConformance.ts"

const port = 9941
const scope = Scope.makeUnsafe()
const folder = mkdtempSync(join(tmpdir(), "frazil-s3-"))
let started: Effect.Effect<unknown> | undefined
const server = Layer.effectDiscard(
  Effect.suspend(() => (started ??= Effect.runSync(Effect.cached(Scope.provide(s3Server(port, "lake"), scope)))))
)

afterAll(async () => {
  await Effect.runPromise(Scope.close(scope, Exit.void))
  rmSync(folder, { recursive: true, force: true })
})

// the least size that S3 takes: the suite's long object has three parts
const options = (root: string, changed: Partial<S3Options> = {}): S3Options => ({
  root,
  endpoint: `http://127.0.0.1:${port}`,
  region: s3Keys.region,
  accessKeyId: Redacted.make(s3Keys.accessKeyId),
  secretAccessKey: Redacted.make(s3Keys.secretAccessKey),
  limits: { ...s3LimitsDefault, partBytes: 5_242_880 },
  ...changed
})

const storageOf = (at: string, given: S3Options) =>
  layerS3(given).pipe(
    Layer.provide(FileCache.layer({ folder: join(at, "cache"), bytesMax: 100_000_000 })),
    Layer.provide(HttpCalls.layer),
    Layer.provide(server)
  )

const base = (root: string) => `s3://lake${root}`

storageConformance({
  name: "S3",
  base,
  respell: (uri) => uri.replace("s3://", "s3a://"),
  hasFiles: true,
  layer: (root) => storageOf(root, options(base(root)))
})

describe("S3 storage, refusals of a real server", () => {
  const cases: ReadonlyArray<readonly [string, Partial<S3Options>, RegExp]> = [
    ["an unknown access key", { accessKeyId: Redacted.make("nobody") }, /No user exists with the provided access key/],
    ["a wrong secret key", { secretAccessKey: Redacted.make("wrong") }, /the secret key is not the access key's/],
    ["a missing bucket", { root: "s3://missing/t" }, /there is no such bucket/]
  ]
  for (const [what, changed, words] of cases) {
    it.live(`say that it is ${what}`, () =>
      Effect.gen(function* () {
        const given = options("s3://lake/refused", changed)
        const write = Storage.use((storage) => storage.writeNew(`${given.root}/a`, new Uint8Array([1])))
        const error = yield* Effect.flip(Effect.provide(write, storageOf(folder, given)))
        assert.strictEqual(error._tag === "StorageError" && error.reason, "Refused")
        assert.match(error.message, words)
      })
    )
  }
})

describe("S3 storage, a server that is killed", () => {
  it.live("leaves no object of an upload that it was killed in, and takes the file again when it is back", () =>
    Effect.gen(function* () {
      const own = yield* s3Server(port + 1, "lake")
      const limits = { ...s3LimitsDefault, partBytes: 5_242_880, retriesMax: 2, waitMinMs: 20 }
      const given = options("s3://lake/killed", { endpoint: own.url, limits })
      const path = join(folder, "large")
      writeFileSync(path, new Uint8Array(80_000_000).fill(7))
      const uri = "s3://lake/killed/large"
      yield* Effect.gen(function* () {
        const storage = yield* Storage
        const upload = yield* Effect.forkChild(Effect.exit(storage.writeNewFromFile(uri, path)))
        // while it is looked for, as long as this machine takes for that, some parts go
        yield* own.kill
        const exit = yield* Fiber.join(upload)
        assert.isTrue(Exit.isFailure(exit))
        assert.match(String(Exit.isFailure(exit) ? exit.cause : ""), /cannot be reached/)
        yield* own.start
        assert.strictEqual((yield* Effect.flip(storage.stat(uri))).reason, "NotFound")
        assert.strictEqual((yield* storage.writeNewFromFile(uri, path)).sizeBytes, 80_000_000)
        assert.deepStrictEqual(yield* storage.readRange(uri, 79_999_999, 1), new Uint8Array([7]))
      }).pipe(Effect.provide(storageOf(folder, given)))
    })
  )
})
