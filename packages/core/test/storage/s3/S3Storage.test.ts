import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import type { Asked, Fate } from "@frazil/sim/misbehaving"
import { Effect, Layer, Redacted, Stream } from "effect"
import { HttpCalls } from "../../../src/http/HttpCalls.ts"
import { FileCache } from "../../../src/storage/cache/FileCache.ts"
import { s3LimitsDefault } from "../../../src/storage/s3/S3Options.ts"
import { layerS3 } from "../../../src/storage/s3/S3Storage.ts"
import { Storage, type StorageShape } from "../../../src/storage/Storage.ts"
import type { StorageError } from "../../../src/storage/StorageError.ts"
import { fakeS3, type FakeS3 } from "./FakeS3.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const secret = "the-secret-key"
/** Short waits between tries; an answer is waited for, however busy this machine is. */
const limits = { ...s3LimitsDefault, partBytes: 1_000, retriesMax: 4, waitMinMs: 1, waitMaxMs: 4 }
/** Where the store never answers. */
const impatient = { ...limits, timeoutMs: 500 }

interface Place {
  readonly server: FakeS3
  readonly storage: StorageShape
  readonly folder: string
}

const withS3 = (run: (place: Place) => Effect.Effect<void, unknown>, cacheBytes = 1_000_000, fate?: Fate) =>
  Effect.scoped(
    Effect.gen(function* () {
      const server = yield* fakeS3
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-s3-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
      )
      const layer = layerS3({
        root: "s3://lake/t",
        endpoint: server.url,
        region: "eu-central-1",
        accessKeyId: Redacted.make("the-access-key"),
        secretAccessKey: Redacted.make(secret),
        limits: fate === "never" ? impatient : limits
      }).pipe(
        Layer.provide(FileCache.layer({ folder: join(folder, "cache"), bytesMax: cacheBytes })),
        Layer.provide(HttpCalls.layer)
      )
      yield* Effect.provide(
        Effect.flatMap(Storage, (storage) => run({ server, storage, folder })),
        layer
      )
    })
  )

const isPut = ({ method }: Asked) => method === "PUT"
const isGet = ({ method }: Asked) => method === "GET"
const count = (server: FakeS3, match: (asked: Asked) => boolean) => server.asked.filter(match).length
const busy = (status: number, code = "SlowDown"): Fate => ({ status, body: `<Error><Code>${code}</Code></Error>` })
const errorOf = <A>(effect: Effect.Effect<A, StorageError>) => Effect.flip(effect)

describe("S3 storage, conditional writes on a store that misbehaves", () => {
  const fates: ReadonlyArray<readonly [string, Fate, number]> = [
    ["is busy", busy(503), 2],
    ["is out of order", busy(500, "InternalError"), 2],
    ["breaks the line", "broken", 2],
    ["never answers", "never", 2],
    ["breaks the line after it has written", "done, then broken", 2],
    ["says 500 after it has written", "done, then 500", 2],
    ["lets two writes meet", { status: 409, body: "<Error><Code>ConditionalRequestConflict</Code></Error>" }, 2]
  ]
  for (const [what, fate, tries] of fates) {
    it.live(`create the object when it ${what}`, () =>
      withS3(
        ({ server, storage }) =>
          Effect.gen(function* () {
            server.meet(isPut, fate)
            yield* storage.writeNew("s3://lake/t/a", bytes("one"))
            assert.strictEqual(count(server, isPut), tries)
            assert.deepStrictEqual(yield* storage.read("s3://lake/t/a"), bytes("one"))
          }),
        undefined,
        fate
      )
    )
  }

  it.live("know their own object when the request was sent twice behind our back", () =>
    withS3(({ server, storage }) =>
      Effect.gen(function* () {
        // what the store answers to the second of two requests of which we know one
        server.meet(isPut, "done, then 412")
        yield* storage.writeNew("s3://lake/t/a", bytes("one"))
        assert.strictEqual(count(server, isPut), 1)
        assert.deepStrictEqual(yield* storage.read("s3://lake/t/a"), bytes("one"))
      })
    )
  )

  it.live("do not take another's object for their own, with the same content either", () =>
    withS3(({ server, storage }) =>
      Effect.gen(function* () {
        yield* storage.writeNew("s3://lake/t/a", bytes("one"))
        server.meet(isPut, "broken")
        const error = yield* errorOf(storage.writeNew("s3://lake/t/a", bytes("one")))
        assert.strictEqual(error.reason, "AlreadyExists")
        assert.strictEqual((yield* errorOf(storage.writeNew("s3://lake/t/a", bytes("two")))).reason, "AlreadyExists")
        assert.deepStrictEqual(yield* storage.read("s3://lake/t/a"), bytes("one"))
      })
    )
  )

  it.live("end after so many tries, and say where", () =>
    withS3(({ server, storage }) =>
      Effect.gen(function* () {
        server.meet(isPut, ...Array.from({ length: 9 }, () => busy(503)))
        const error = yield* errorOf(storage.writeNew("s3://lake/t/a", bytes("one")))
        assert.strictEqual(error.reason, "Unavailable")
        assert.match(error.message, /s3:\/\/lake\/t\/a cannot be reached: .*busy \(503, SlowDown\)/)
        assert.strictEqual(count(server, isPut), 5)
      })
    )
  )

  it.live("stay below the root", () =>
    withS3(({ server, storage }) =>
      Effect.gen(function* () {
        for (const uri of ["s3://lake/other", "s3://lake/tt/a", "s3://foreign/t/a", "file:///t/a", "s3://lake"]) {
          assert.strictEqual((yield* errorOf(storage.writeNew(uri, bytes("x")))).reason, "Refused")
          assert.strictEqual((yield* errorOf(storage.delete(uri))).reason, "Refused")
        }
        assert.strictEqual(server.asked.length, 0)
      })
    )
  )
})

describe("S3 storage, uploads in parts", () => {
  const long = new Uint8Array(4_500).map((_, i) => i % 251)
  const upload = ({ folder, storage }: Place) =>
    Effect.suspend(() => {
      writeFileSync(join(folder, "long"), long)
      return storage.writeNewFromFile("s3://lake/t/long", join(folder, "long"))
    })

  it.live("put a file together from its parts, each repeated alone", () =>
    withS3((place) =>
      Effect.gen(function* () {
        place.server.meet(({ path }) => path.includes("partNumber=3"), busy(503), "broken")
        assert.strictEqual((yield* upload(place)).sizeBytes, 4_500)
        assert.strictEqual(count(place.server, isPut), 7)
        assert.isTrue(Buffer.from(long).equals(place.server.objects.get("t/long")?.bytes ?? new Uint8Array()))
        assert.deepStrictEqual(readdirSync(place.folder), ["cache"])
        assert.isTrue(Buffer.from(long).equals(yield* place.storage.read("s3://lake/t/long")))
      })
    )
  )

  for (const fate of ["done, then broken", "done, then 500", "never"] as const) {
    it.live(`find their own object when the store, completing, is "${fate}"`, () =>
      withS3(
        (place) =>
          Effect.gen(function* () {
            place.server.meet(({ method, path }) => method === "POST" && path.includes("uploadId"), fate)
            assert.strictEqual((yield* upload(place)).sizeBytes, 4_500)
            assert.strictEqual(place.server.uploads.size, 0)
          }),
        undefined,
        fate
      )
    )
  }

  it.live("are aborted when they fail, and leave the file", () =>
    withS3((place) =>
      Effect.gen(function* () {
        place.server.meet(({ path }) => path.includes("partNumber=4"), busy(403, "AccessDenied"))
        assert.strictEqual((yield* errorOf(upload(place))).reason, "Refused")
        assert.strictEqual(place.server.uploads.size, 0)
        assert.strictEqual(place.server.objects.size, 0)
        assert.include(readdirSync(place.folder), "long")
      })
    )
  )

  it.live("never replace an object", () =>
    withS3((place) =>
      Effect.gen(function* () {
        yield* place.storage.writeNew("s3://lake/t/long", bytes("first"))
        assert.strictEqual((yield* errorOf(upload(place))).reason, "AlreadyExists")
        assert.strictEqual(place.server.uploads.size, 0)
        assert.deepStrictEqual(yield* place.storage.read("s3://lake/t/long"), bytes("first"))
      })
    )
  )

  it.live("fail when the store says so in an answer that began well", () =>
    withS3((place) =>
      Effect.gen(function* () {
        const failed = { status: 200, body: "<Error><Code>InternalError</Code></Error>" }
        place.server.meet(({ method, path }) => method === "POST" && path.includes("uploadId"), failed)
        const error = yield* errorOf(upload(place))
        assert.strictEqual(error.reason, "Unavailable")
        assert.match(error.message, /InternalError/)
        assert.strictEqual(place.server.objects.size, 0)
      })
    )
  )
})

describe("S3 storage, reading", () => {
  it.live("reads every page of a list", () =>
    withS3(({ storage }) =>
      Effect.gen(function* () {
        for (let i = 0; i < 5; i++) yield* storage.writeNew(`s3://lake/t/p/${i}`, bytes("x"))
        const found = yield* Stream.runCollect(storage.list("s3a://lake/t/p/"))
        assert.deepStrictEqual(
          found.map(({ uri }) => uri),
          [0, 1, 2, 3, 4].map((i) => `s3://lake/t/p/${i}`)
        )
        assert.strictEqual(found[0]?.modifiedMs, Date.UTC(2026, 10, 26, 15))
      })
    )
  )

  it.live("asks the store once for an object that is read again, and again for what was given up", () =>
    withS3(
      ({ folder, server, storage }) =>
        Effect.gen(function* () {
          const name = (i: number) => `s3://lake/t/m${i}`
          for (let i = 0; i < 6; i++) yield* storage.writeNew(name(i), new Uint8Array(900).fill(i))
          for (let round = 0; round < 3; round++) yield* storage.read(name(0))
          assert.strictEqual(count(server, isGet), 1)
          assert.deepStrictEqual(yield* storage.readRange(name(0), 899, 1), new Uint8Array([0]))
          assert.strictEqual(count(server, isGet), 1)
          for (let i = 1; i < 6; i++) yield* storage.read(name(i))
          const kept = readdirSync(join(folder, "cache")).filter((each) => each.endsWith("-900"))
          assert.isAtMost(kept.length, 3)
          assert.isAtLeast(kept.length, 2)
          assert.strictEqual((yield* storage.read(name(0)))[0], 0)
          assert.strictEqual(count(server, isGet), 7)
        }),
      3_000
    )
  )

  it.live("keeps a file that was given out until its scope is closed, whatever is given up meanwhile", () =>
    withS3(
      ({ folder, storage }) =>
        Effect.gen(function* () {
          for (let i = 0; i < 5; i++) yield* storage.writeNew(`s3://lake/t/f${i}.parquet`, bytes(`${i}`.repeat(900)))
          const path = yield* Effect.scoped(
            Effect.gen(function* () {
              const held = yield* storage.localFile("s3://lake/t/f0.parquet", 900)
              for (let i = 1; i < 5; i++) yield* storage.read(`s3://lake/t/f${i}.parquet`)
              assert.strictEqual(readFileSync(held, "utf8"), "0".repeat(900))
              return held
            })
          )
          assert.throws(() => readFileSync(path), /ENOENT/)
          assert.isEmpty(readdirSync(join(folder, "cache")).filter((each) => each.endsWith(".part")))
        }),
      2_000
    )
  )

  it.live("does not believe a copy of another size, nor an object of another than was expected", () =>
    withS3(({ folder, storage }) =>
      Effect.gen(function* () {
        yield* storage.writeNew("s3://lake/t/a", bytes("12345"))
        yield* storage.read("s3://lake/t/a")
        const copy = readdirSync(join(folder, "cache")).find((each) => each.endsWith("-5"))
        writeFileSync(join(folder, "cache", copy ?? ""), "12")
        assert.deepStrictEqual(yield* storage.read("s3://lake/t/a"), bytes("12345"))
        writeFileSync(join(folder, "cache", copy ?? ""), "12")
        const local = yield* Effect.scoped(
          Effect.map(storage.localFile("s3://lake/t/a", 5), (path) => readFileSync(path, "utf8"))
        )
        assert.strictEqual(local, "12345")
        const error = yield* errorOf(Effect.scoped(storage.localFile("s3://lake/t/a", 6)))
        assert.strictEqual(error.reason, "Corrupt")
      })
    )
  )

  it.live("reads an object of many ranges as one version of it", () =>
    withS3(({ server, storage }) =>
      Effect.gen(function* () {
        const long = new Uint8Array(4_500).fill(1)
        yield* storage.writeNew("s3://lake/t/long", long)
        server.meet(({ headers }) => headers.range === "bytes=1000-1999", "broken", busy(503))
        assert.deepStrictEqual(yield* storage.read("s3://lake/t/long"), long)
        const torn: Fate = { status: 206, headers: { "content-range": "bytes 0-9/4500" }, body: "0123456789" }
        yield* storage.delete("s3://lake/t/long")
        yield* storage.writeNew("s3://lake/t/long", long)
        server.meet(isGet, torn)
        assert.strictEqual((yield* errorOf(storage.read("s3://lake/t/long"))).reason, "Corrupt")
      })
    )
  )

  it.live("copies an object once for many who ask at a time", () =>
    withS3(({ server, storage }) =>
      Effect.gen(function* () {
        yield* storage.writeNew("s3://lake/t/a", bytes("x"))
        yield* Effect.all(
          Array.from({ length: 8 }, () => storage.read("s3://lake/t/a")),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(count(server, isGet), 1)
      })
    )
  )
})

describe("S3 storage, refusals", () => {
  const cases: ReadonlyArray<readonly [string, number, StorageError["reason"], RegExp]> = [
    ["InvalidAccessKeyId", 403, "Refused", /does not know the access key; look at AWS_ACCESS_KEY_ID/],
    ["SignatureDoesNotMatch", 403, "Refused", /the secret key is not the access key's/],
    ["RequestTimeTooSkewed", 403, "Refused", /this machine's clock is wrong/],
    ["ExpiredToken", 400, "Refused", /expired; renew them/],
    ["AccessDenied", 403, "Refused", /give the key's user the right/],
    ["NoSuchBucket", 404, "Refused", /no such bucket; make it/],
    ["QuotaExceeded", 507, "Full", /quota is used up/],
    ["SomethingNew", 400, "Refused", /was refused \(400, SomethingNew\)/]
  ]
  for (const [code, status, reason, words] of cases) {
    it.live(`say what to do about ${code}, without keys`, () =>
      withS3(({ server, storage }) =>
        Effect.gen(function* () {
          server.meet(() => true, busy(status, code))
          const error = yield* errorOf(storage.writeNew("s3://lake/t/a", bytes("x")))
          assert.strictEqual(error.reason, reason)
          assert.match(error.message, words)
          assert.notInclude(JSON.stringify(error), secret)
        })
      )
    )
  }
})
