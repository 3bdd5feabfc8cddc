/**
 * Signature of a request to S3 (AWS Signature Version 4, header form). Pure: the time is given.
 *
 * `S3Calls` signs every request anew, also a repeated one: a signature holds for 15 minutes. The whole payload is hashed
 * and signed, so that a damaged upload is refused by the store.
 */
import { createHash, createHmac } from "node:crypto"

export interface S3Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials. */
  readonly sessionToken?: string
}

export interface RequestToSign {
  readonly method: string
  /** Path and query as they are sent, encoded: see `encodePath`, `encodeQuery`. */
  readonly url: URL
  /** Names in small letters; `host`, date, hash and token are added here. */
  readonly headers: Readonly<Record<string, string>>
  readonly payload: Uint8Array
}

const algorithm = "AWS4-HMAC-SHA256"

const sha256 = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex")
const hmac = (key: string | Uint8Array, text: string): Uint8Array => createHmac("sha256", key).update(text).digest()

// encodeURIComponent leaves !'()* as they are, the signature does not
const encodePart = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** A key as a path: each part encoded, slashes kept. */
export const encodePath = (key: string): string => key.split("/").map(encodePart).join("/")

/** A query in the order that the signature wants. */
export const encodeQuery = (parameters: Readonly<Record<string, string>>): string =>
  Object.entries(parameters)
    .map(([name, value]) => [encodePart(name), encodePart(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join("&")

/** `20130524T000000Z`. */
const stampOf = (nowMs: number): string => new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, "")

/** The request's headers with its signature; `host` is left out, which every client sends by itself. */
export const signRequest = (
  request: RequestToSign,
  keys: S3Keys,
  region: string,
  nowMs: number
): Readonly<Record<string, string>> => {
  const { method, payload, url } = request
  const stamp = stampOf(nowMs)
  const day = stamp.slice(0, 8)
  const hash = sha256(payload)
  const sent: Record<string, string> = {
    ...request.headers,
    "x-amz-content-sha256": hash,
    "x-amz-date": stamp,
    ...(keys.sessionToken === undefined ? {} : { "x-amz-security-token": keys.sessionToken })
  }
  const signed = Object.entries({ ...sent, host: url.host })
    .map(([name, value]) => [name, value.trim().replace(/ +/g, " ")] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const names = signed.map(([name]) => name).join(";")
  const headers = signed.map(([name, value]) => `${name}:${value}\n`).join("")
  const canonical = [method, url.pathname, url.search.slice(1), headers, names, hash].join("\n")
  const scope = `${day}/${region}/s3/aws4_request`
  const toSign = [algorithm, stamp, scope, sha256(canonical)].join("\n")
  const key = [region, "s3", "aws4_request"].reduce<Uint8Array>(hmac, hmac(`AWS4${keys.secretAccessKey}`, day))
  const signature = Buffer.from(hmac(key, toSign)).toString("hex")
  return {
    ...sent,
    authorization: `${algorithm} Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
  }
}
