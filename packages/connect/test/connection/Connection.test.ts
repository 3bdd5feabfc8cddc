import { chmodSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted, Result } from "effect"
import { connectionOf, decodeConnections, secretsOf } from "../../src/connection/Connection.ts"
import { readSecret } from "../../src/connection/Secret.ts"
import { temporaryFolder } from "../embedded/TemporaryFolder.ts"

const bare = (declared: unknown, environment: Readonly<Record<string, string>> = {}) =>
  decodeConnections(declared, (name) => environment[name])

const declared = {
  bureau: { kind: "http", url: "https://bureau.example/v1", auth: { bearer: { env: "BUREAU_TOKEN" } }, pool: 1000 },
  claims: { kind: "postgres", url: "postgres://lab@127.0.0.1:5432/claims", password: { file: "password.txt" } },
  "claims-file": { kind: "duckdb", file: "claims.duckdb" },
  features: { kind: "redis", url: "redis://127.0.0.1:6379/0", password: { command: ["pass", "redis"] } }
}

describe("connections", () => {
  it("are declared by name, kind and place of their secrets", () => {
    const { connections, problems } = bare(declared)
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual([...connections.keys()], Object.keys(declared))
    assert.deepStrictEqual(
      [...connections.values()].flatMap((each) => secretsOf(each).map(([field]) => field)),
      ["auth.bearer", "password", "password"]
    )
    assert.deepStrictEqual(bare(undefined), { connections: new Map(), problems: [] })
  })

  it("take another url from the environment", () => {
    const { connections } = bare(declared, { FRAZIL_CONNECTION_BUREAU_URL: "http://127.0.0.1:9/x" })
    assert.include(connections.get("bureau"), { url: "http://127.0.0.1:9/x" })
  })

  it.each([
    ["a secret in the place of its place", { kind: "http", url: "http://h", auth: { bearer: "hunter2" } }],
    ["a password in a url", { kind: "postgres", url: "postgres://lab:hunter2@h/db" }],
    ["a user in a url of HTTP", { kind: "http", url: "http://hunter2@h/" }],
    ["a url that is none", { kind: "http", url: "hunter2" }],
    ["a field nobody knows", { kind: "duckdb", file: "f", hunter2: "hunter2" }],
    ["another kind", { kind: "hunter2", url: "http://h" }],
    ["no object", "hunter2"]
  ])("refuse %s, and do not repeat it", (_, wrong) => {
    const { connections, problems } = bare({ it: wrong })
    assert.strictEqual(connections.size, 0)
    assert.strictEqual(problems.length, 1)
    assert.match(problems[0]!.message, /^connection "it": /)
    assert.notInclude(JSON.stringify(problems).replace("(look at hunter2)", ""), "hunter2")
  })

  it("say which one is missing, or of another kind", () => {
    const { connections } = bare(declared)
    const found = connectionOf(connections, "claims", ["postgres", "duckdb"])
    assert.isTrue(Result.isSuccess(found))
    const absent = connectionOf(connections, "bureaux", ["http"])
    assert(Result.isFailure(absent))
    assert.strictEqual(absent.failure.reason, "Undeclared")
    const other = connectionOf(connections, "claims", ["http"])
    assert(Result.isFailure(other))
    assert.include(other.failure.message, "it is of kind postgres, and http is needed")
  })
})

describe("secrets", () => {
  const environment = ConfigProvider.layer(ConfigProvider.fromUnknown({ TOKEN: "hunter2", EMPTY: "" }))

  it.effect("are read from environment, file and command, and do not show", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const file = join(folder, "secret.txt")
      writeFileSync(file, "hunter2\n")
      const program = join(folder, "secret.sh")
      writeFileSync(program, "#!/bin/sh\necho hunter2\n")
      chmodSync(program, 0o700)
      for (const source of [{ env: "TOKEN" }, { file }, { command: [program] as const }]) {
        const secret = yield* readSecret("it", source)
        assert.strictEqual(Redacted.value(secret), "hunter2")
        assert.notInclude(`${String(secret)}${JSON.stringify({ secret })}`, "hunter2")
      }
    }).pipe(Effect.provide(environment))
  )

  it.effect("that are not there are named by their place", () =>
    Effect.gen(function* () {
      for (const [source, expected] of [
        [{ env: "NONE" }, /environment variable NONE \(it is not set\)/],
        [{ env: "EMPTY" }, /environment variable EMPTY/],
        [{ file: "nowhere/secret" }, /file nowhere\/secret \(ENOENT\)/],
        [{ command: ["false", "hunter2"] as const }, /command false \(it failed/]
      ] as const) {
        const error = yield* Effect.flip(readSecret("it", source))
        assert.strictEqual(error.reason, "SecretMissing")
        assert.match(error.message, expected)
        assert.notInclude(error.message, "hunter2")
      }
    }).pipe(Effect.provide(environment))
  )
})
