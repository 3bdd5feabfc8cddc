/**
 * Who is let into a cluster, and what the others are told: SCRAM and PLAIN over TLS 1.3, certificates of both sides, rights.
 */
import { execFileSync } from "node:child_process"
import { pbkdf2Sync, randomBytes } from "node:crypto"
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect as connectTls } from "node:tls"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { LogError } from "@frazil/engine"
import { sharedKafka } from "@frazil/sim/kafka"
import {
  Admin,
  AclOperations,
  AclPermissionTypes,
  alterUserScramCredentialsV0,
  ResourcePatternTypes,
  ResourceTypes
} from "@platformatic/kafka"
import { Effect, Result } from "effect"
import { decodeConnections } from "../../src/connection/Connection.ts"
import { call, openCluster } from "../../src/kafka/Cluster.ts"
import { kafkaAccess } from "../../src/kafka/KafkaAccess.ts"
import { KafkaLog } from "../../src/kafka/KafkaLog.ts"
import { appendValues, connect, pack, readAll } from "../log/LogFixture.ts"

const plainUsers = `listener.name.client.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_app="app-secret";`
const kafka = sharedKafka(19_394, {
  secure: true,
  more: `sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN\\n${plainUsers}\\nlistener.name.client.ssl.client.auth=required`
})
let tls = ""
let folder = ""

/** A certificate that the broker trusts, and a key. */
const makeCertificate = () => {
  const openssl = (...args: ReadonlyArray<string>) => execFileSync("openssl", [...args], { stdio: "ignore" })
  const [key, request, certificate] = ["client.key", "client.csr", "client.pem"].map((name) => join(folder, name))
  openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=client", "-keyout", key!, "-out", request!)
  openssl(
    ...["x509", "-req", "-in", request!, "-CA", join(tls, "ca.pem"), "-CAkey", join(tls, "ca.key"), "-CAcreateserial"],
    ...["-days", "30", "-sha256", "-out", certificate!]
  )
}

beforeAll(async () => {
  await kafka.start()
  tls = /tls=(\S+)/.exec(await Effect.runPromise(kafka.server().run("env")))![1]!
  folder = mkdtempSync(join(tmpdir(), "frazil-kafka-tls-"))
  makeCertificate()
  for (const secret of ["admin-secret", "app-secret", "wrong"]) writeFileSync(join(folder, secret), `${secret}\n`)
})
afterAll(kafka.stop)

interface Declared {
  readonly user?: string
  readonly password?: string
  readonly mechanism?: string
  readonly ca?: string
  readonly certificate?: string
  readonly encrypted?: boolean
}

/** What a connection says as `frazil.yaml` declares it. */
const accessOf = Effect.fnUntraced(function* (declared: Declared) {
  const { ca = join(tls, "ca.pem"), certificate = join(folder, "client.pem"), encrypted = true } = declared
  const { mechanism = "scram-sha-512", password = "admin-secret", user = "admin" } = declared
  const cluster = {
    kind: "kafka",
    url: `kafka://127.0.0.1:${kafka.broker.port}`,
    user,
    mechanism,
    password: { file: join(folder, password) },
    ...(encrypted
      ? { tls: { ca, ...(certificate === "" ? {} : { certificate, key: { file: join(folder, "client.key") } }) } }
      : {})
  }
  const { connections, problems } = decodeConnections({ cluster }, () => undefined)
  assert.deepStrictEqual(problems, [])
  return yield* kafkaAccess(connections, [kafka.broker])
})

/** A log by such a connection. */
const opened = Effect.fnUntraced(function* (declared: Declared) {
  const access = yield* accessOf(declared)
  return yield* connect(KafkaLog.layer({ brokers: [kafka.broker], ...access }))
})

/** The one line that somebody gets who is not let in. */
const refusal = Effect.fnUntraced(function* (declared: Declared) {
  const outcome = yield* Effect.scoped(Effect.result(opened(declared)))
  assert.isTrue(Result.isFailure(outcome), "somebody was let in")
  const error = Result.getOrThrow(Result.flip(outcome)) as LogError
  assert.strictEqual(error.reason, "Refused", error.message)
  assert.notMatch(error.message, /secret|wrong|\n/)
  return error.message
})

const administer = (act: (admin: Admin) => Promise<unknown>) =>
  Effect.promise(async () => {
    const pem = (file: string) => readFileSync(join(folder, file), "utf8")
    const admin = new Admin({
      clientId: "test",
      bootstrapBrokers: [kafka.broker],
      sasl: { mechanism: "SCRAM-SHA-512", username: "admin", password: "admin-secret" },
      tls: { ca: readFileSync(join(tls, "ca.pem"), "utf8"), cert: pem("client.pem"), key: pem("client.key") }
    })
    await act(admin)
    await admin.close()
  })

const scramSha512 = 2

const setPassword = Effect.fnUntraced(function* (name: string, password: string) {
  const [salt, iterations] = [randomBytes(16), 4096]
  const saltedPassword = pbkdf2Sync(password, salt, iterations, 64, "sha512")
  const { sasl, serverName, tls } = yield* accessOf({})
  const options = { brokers: [kafka.broker], requestTimeoutMs: 10_000, retryMs: 10_000, sasl, tls, serverName }
  const cluster = yield* openCluster(options)
  const credentials = [{ name, mechanism: scramSha512, iterations, salt, saltedPassword }]
  yield* cluster.ask("changing a password", (connection) =>
    call(connection, alterUserScramCredentialsV0.api, [], credentials)
  )
}, Effect.scoped)

/** Gives a user every right to what is named so. */
const allow = (
  type: keyof typeof ResourceTypes,
  name: string,
  pattern: keyof typeof ResourcePatternTypes,
  user = "app"
) =>
  administer((admin) => {
    const right = {
      resourceType: ResourceTypes[type],
      resourceName: name,
      resourcePatternType: ResourcePatternTypes[pattern],
      principal: `User:${user}`,
      host: "*",
      operation: AclOperations.ALL,
      permissionType: AclPermissionTypes.ALLOW
    }
    return admin.createAcls({ creations: [right] })
  })

describe("a secure cluster", () => {
  it.live("lets in who has a password and a certificate, by SCRAM and by PLAIN, over TLS 1.3", () =>
    Effect.gen(function* () {
      const log = yield* opened({})
      yield* log.ensureTopic({ name: "seen", partitions: 1 })
      yield* appendValues(log, "seen", 0, pack("x"))
      assert.deepStrictEqual((yield* readAll(log, "seen")).values, ["x"])
      assert.deepStrictEqual(
        yield* (yield* opened({ user: "app", password: "app-secret", mechanism: "plain" })).topics,
        []
      )
      const socket = connectTls({ host: "127.0.0.1", port: kafka.broker.port, rejectUnauthorized: false })
      const protocol = yield* Effect.callback<string | null>((resume) => {
        socket.once("secureConnect", () => resume(Effect.succeed(socket.getProtocol())))
      })
      socket.destroy()
      assert.strictEqual(protocol, "TLSv1.3")
    })
  )

  it.live("tells the others in one line why not, without a secret", () =>
    Effect.gen(function* () {
      assert.match(yield* refusal({ password: "wrong" }), /let nobody in .*check user, password/)
      assert.match(yield* refusal({ user: "nobody" }), /let nobody in/)
      assert.match(yield* refusal({ mechanism: "scram-sha-256" }), /let nobody in/)
      assert.match(yield* refusal({ encrypted: false }), /let nobody in .*certificates and TLS/)
      assert.match(yield* refusal({ ca: join(folder, "client.pem") }), /let nobody in .*certificate/)
    })
  )

  it.live("lets work on whoever was let in once: the password changes there, then where the connection says", () =>
    Effect.gen(function* () {
      writeFileSync(join(folder, "changing"), "first\n")
      yield* setPassword("rotated", "first")
      yield* allow("TOPIC", "rotated", "LITERAL", "rotated")
      yield* (yield* opened({})).ensureTopic({ name: "rotated", partitions: 1 })
      const log = yield* opened({ user: "rotated", password: "changing" })
      assert.lengthOf(yield* log.topics, 1)
      yield* setPassword("rotated", "second")
      // connections that were let in stay so; these are gone
      yield* kafka.server().kill
      yield* kafka.server().start
      const waiting = yield* Effect.flip(log.topic("rotated"))
      assert.strictEqual(waiting.reason, "Unavailable", waiting.message)
      assert.match(waiting.message, /lets nobody in any more.*was the password changed there/)
      assert.notMatch(waiting.message, /first|second/)
      writeFileSync(join(folder, "changing"), "second\n")
      assert.strictEqual((yield* log.topic("rotated")).name, "rotated")
    })
  )

  it.live("names the right that is missing, and lets work whom it is given", () =>
    Effect.gen(function* () {
      const admin = yield* opened({})
      yield* admin.ensureTopic({ name: "guarded", partitions: 1 })
      const app = yield* opened({ user: "app", password: "app-secret" })
      const error = yield* Effect.flip(app.ensureTopic({ name: "guarded", partitions: 1 }))
      assert.strictEqual(error.reason, "Refused")
      assert.match(
        error.message,
        /refused looking for topic guarded \(TOPIC_AUTHORIZATION_FAILED\).*give the user the right/
      )
      yield* allow("TOPIC", "guarded", "LITERAL")
      yield* allow("TOPIC", "frazil-state.", "PREFIXED")
      const noProducer = yield* Effect.flip(appendValues(app, "guarded", 0, pack("x")))
      assert.match(noProducer.message, /TRANSACTIONAL_ID_AUTHORIZATION_FAILED/)
      yield* allow("TRANSACTIONAL_ID", "frazil.producers/", "PREFIXED")
      yield* appendValues(app, "guarded", 0, pack("x"))
      assert.deepStrictEqual((yield* readAll(app, "guarded")).values, ["x"])
    })
  )
})
