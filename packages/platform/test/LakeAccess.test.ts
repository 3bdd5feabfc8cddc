import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted } from "effect"
import { cacheBytesMax, restOptions, s3Options } from "../src/LakeAccess.ts"

const settings = `
connections:
  lake:
    kind: iceberg-rest
    url: http://127.0.0.1:8181/catalog/
    warehouse: prod
    oauth2: { client_id: frazil, client_secret: { env: LAKE_SECRET }, scope: tables }
  other: { kind: iceberg-rest, url: "http://127.0.0.1:9", bearer: { env: LAKE_TOKEN } }
  far: { kind: s3, bucket: far, access_key: { env: KEY }, secret_key: { env: SECRET }, region: eu-west-3 }
  near: { kind: s3, url: "http://127.0.0.1:9000", access_key: { env: KEY }, secret_key: { env: SECRET }, addressing: path }
`

/** With this settings file and this environment. */
const within = <A, E>(environment: Record<string, string>, run: (file: string, none: string) => Effect.Effect<A, E>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "frazil-access-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
      )
      const file = join(folder, "frazil.yaml")
      writeFileSync(file, settings)
      return yield* run(file, join(folder, "none.yaml")).pipe(
        Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown(environment))
      )
    })
  )

describe("LakeAccess", () => {
  it.effect("finds the catalog's connection by its url, and reads its secrets", () =>
    Effect.gen(function* () {
      const secrets = { LAKE_SECRET: "s", LAKE_TOKEN: "t" }
      const oauth = yield* within(secrets, (file) => restOptions("http://127.0.0.1:8181/catalog", "s3://x/", file))
      assert.strictEqual(oauth.warehouse, "prod")
      assert.deepInclude(oauth.access, { _tag: "OAuth2", clientId: "frazil", scope: "tables" })
      const secret = oauth.access?._tag === "OAuth2" ? Redacted.value(oauth.access.clientSecret) : ""
      assert.strictEqual(secret, "s")
      const bearer = yield* within(secrets, (file) => restOptions("http://127.0.0.1:9", "s3://x/", file))
      assert.strictEqual(bearer.access?._tag, "Bearer")
      const unknown = yield* within({}, (file) => restOptions("http://elsewhere", "s3://x/", file))
      assert.deepStrictEqual(unknown, { url: "http://elsewhere", tablesUri: "s3://x/" })
      const missing = yield* Effect.flip(within({}, (file) => restOptions("http://127.0.0.1:9", "s3://x/", file)))
      assert.match(
        missing.message,
        /connection "other": its secret cannot be read from environment variable LAKE_TOKEN/
      )
    })
  )

  it.effect("finds a store's connection by its bucket, then one for all, then the environment", () =>
    Effect.gen(function* () {
      const declared = { KEY: "a", SECRET: "b" }
      const far = yield* within(declared, (file) => s3Options("s3://far/t/", file))
      assert.deepInclude(far, { root: "s3://far/t/", region: "eu-west-3" })
      assert.notProperty(far, "endpoint")
      const near = yield* within(declared, (file) => s3Options("s3://another/t/", file))
      assert.deepInclude(near, { endpoint: "http://127.0.0.1:9000", addressing: "path" })
      const keys = { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_ENDPOINT_URL: "http://store" }
      const found = yield* within(keys, (_, none) => s3Options("s3://lake/t/", none))
      assert.deepInclude(found, { root: "s3://lake/t/", region: "us-east-1", endpoint: "http://store" })
      assert.strictEqual(Redacted.value(found.secretAccessKey), "b")
      const missing = yield* Effect.flip(within({}, (_, none) => s3Options("s3://lake/t/", none)))
      assert.match(missing.message, /declare a connection of kind s3 in frazil.yaml, or set AWS_ACCESS_KEY_ID/)
    })
  )

  it.effect("takes the cache's size from the environment", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* within({ FRAZIL_CACHE_BYTES: "5" }, () => cacheBytesMax), 5)
      assert.strictEqual(yield* within({}, () => cacheBytesMax), 8 * 1024 ** 3)
    })
  )
})
