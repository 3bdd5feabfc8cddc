/** Settings and connections are shown and checked; no secret is printed, whatever is wrong. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "../DataFixture.ts"
import { frazil } from "../RunFrazil.ts"

const secret = "hunter2-of-a-test"

const settings = (folder: string, more = "  store: { kind: redis, url: redis://h }", store = "store") => {
  const file = join(folder, "frazil.yaml")
  writeFileSync(join(folder, "token.txt"), `${secret}\n`)
  writeFileSync(
    file,
    `data: ./d
api-token: ${secret}
connections:
  bureau:
    kind: http
    url: http://127.0.0.1:8090
    auth: { bearer: { file: ${join(folder, "token.txt")} } }
${more}
sinks:
  hook: { kind: webhook, topic: operations-alerts, connection: bureau }
  features:
    kind: redis
    topic: customers
    connection: ${store}
    features: [{ key: "customer:{customer_id}:score", value: credit_score, ttl: 1d }]
`
  )
  return file
}

describe("frazil config", () => {
  it.live("shows what is set and where secrets lie, without the secrets", () =>
    Effect.gen(function* () {
      const file = settings(yield* temporaryFolder)
      for (const format of [[], ["--json"]]) {
        const shown = yield* frazil(["config", "show", "--file", file, ...format])
        assert.isUndefined(shown.error)
        assert.include(shown.stdout, "FRAZIL_DATA")
        assert.match(shown.stdout, /hook.*webhook.*operations-alerts.*bureau/)
        assert.include(shown.stdout, "credit_score under customer:{customer_id}:score")
        assert.include(shown.stdout, "(hidden) from file ")
        assert.notInclude(`${shown.stdout}${shown.stderr}`, secret)
      }
    })
  )

  it.live("checks declarations and that secrets can be read", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const sound = yield* frazil(["config", "check", "--file", settings(folder)])
      assert.isUndefined(sound.error)
      assert.include(sound.stdout, "sound, 2 connections, 2 sinks")
      const file = settings(
        folder,
        `  claims: { kind: postgres, url: "postgres://lab:${secret}@h/db" }
  other: { kind: redis, url: "redis://h", password: { file: nowhere } }
`,
        "gone"
      )
      const checked = yield* frazil(["config", "check", "--file", file])
      assert.strictEqual(checked.error, `${file} cannot be used: 3 problems`)
      assert.include(checked.stdout, `connection "claims": its url holds a password`)
      assert.include(checked.stdout, `sink "features": there is no connection "gone"`)
      assert.include(checked.stdout, `connection "other": its secret cannot be read from file nowhere (ENOENT)`)
      assert.notInclude(`${checked.stdout}${checked.stderr}${checked.error}`, secret)
      writeFileSync(file, `data: [${secret}`)
      const broken = yield* frazil(["config", "check", "--file", file])
      assert.match(broken.error ?? "", /cannot be read: it must hold lines/)
      assert.notInclude(broken.error, secret)
    })
  )
})
