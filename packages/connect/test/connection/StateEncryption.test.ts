import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted } from "effect"
import { decodeStateEncryption, readStateKeys } from "../../src/index.ts"

const hex = "0123456789abcdef".repeat(4)
const base64 = Buffer.from(hex, "hex").toString("base64")
const environment = ConfigProvider.layer(
  ConfigProvider.fromUnknown({ HEX: hex, BASE64: base64, SHORT: "abc", EMPTY: "" })
)

const keysOf = (declared: unknown) =>
  Effect.gen(function* () {
    const encryption = yield* Effect.fromResult(decodeStateEncryption(declared))
    return yield* readStateKeys(encryption!)
  }).pipe(Effect.provide(environment))

describe("the keys of state at rest", () => {
  it.effect("are read from where they lie, as hexadecimal digits or base64, older ones too", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.promise(() => mkdtemp(join(tmpdir(), "frazil-state-key-")))
      const file = join(folder, "key")
      yield* Effect.promise(() => writeFile(file, `${hex}\n`))
      const keys = yield* keysOf({ encryption: { key: { file }, older: [{ env: "BASE64" }, { env: "HEX" }] } })
      for (const key of [keys.key, ...keys.older])
        assert.strictEqual(Buffer.from(Redacted.value(key)).toString("hex"), hex)
      yield* Effect.promise(() => rm(folder, { recursive: true }))
    })
  )

  it.effect("are refused when they are no 32 bytes, or not there, without being shown", () =>
    Effect.gen(function* () {
      for (const name of ["SHORT", "EMPTY", "ABSENT"]) {
        const failure = yield* Effect.flip(keysOf({ encryption: { key: { env: name } } }))
        assert.include(failure.message, "state.encryption")
        assert.notInclude(failure.message, "abc")
      }
    })
  )

  it.effect("are never written in the settings", () =>
    Effect.gen(function* () {
      for (const declared of [{ encryption: { key: hex } }, { encryption: { key: { value: hex } } }, { other: 1 }, 7]) {
        const failure = yield* Effect.flip(Effect.fromResult(decodeStateEncryption(declared)))
        assert.strictEqual(failure.reason, "Invalid")
        assert.notInclude(failure.message, hex)
      }
      assert.isUndefined(yield* Effect.fromResult(decodeStateEncryption(undefined)))
    })
  )
})
