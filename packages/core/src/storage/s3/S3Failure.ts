/**
 * What a refusal of S3 means: which StorageError, whether to ask again, and what to do, in words.
 */
import type { HttpCallAnswer } from "../../http/HttpCalls.ts"
import { StorageError } from "../StorageError.ts"
import { xmlText } from "./S3Xml.ts"

export interface S3Refusal {
  readonly status: number
  /** `NoSuchKey`, `AccessDenied`, …; empty when the store does not say, as for HEAD. */
  readonly code: string
  readonly words: string
}

const wordsMax = 300
const utf8 = new TextDecoder()

export const s3Refusal = ({ body, status }: HttpCallAnswer): S3Refusal => {
  const xml = utf8.decode(body)
  return { status, code: xmlText(xml, "Code") ?? "", words: (xmlText(xml, "Message") ?? "").slice(0, wordsMax) }
}

const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504])
const passingCodes: ReadonlySet<string> = new Set(["RequestTimeout", "SlowDown", "OperationAborted"])

/** Worth another try: the store is busy, or broke. */
export const isPassing = ({ code, status }: S3Refusal): boolean => passingStatuses.has(status) || passingCodes.has(code)

/** Two conditional writes of one name met: try again, and find who was first. */
export const isMeeting = ({ code, status }: S3Refusal): boolean =>
  status === 409 && (code === "ConditionalRequestConflict" || code === "OperationAborted" || code === "")

type Meaning = readonly [StorageError["reason"], string]

const byCode: Readonly<Record<string, Meaning>> = {
  NoSuchKey: ["NotFound", "does not exist"],
  NoSuchBucket: ["Refused", "cannot be reached: there is no such bucket; make it, or give another warehouse"],
  NoSuchUpload: ["Unavailable", "could not be written: the store has lost the upload; try again"],
  InvalidAccessKeyId: [
    "Refused",
    "cannot be reached: the store does not know the access key; look at AWS_ACCESS_KEY_ID or the connection of kind s3"
  ],
  SignatureDoesNotMatch: [
    "Refused",
    "cannot be reached: the secret key is not the access key's; look at AWS_SECRET_ACCESS_KEY or the connection of kind s3"
  ],
  RequestTimeTooSkewed: ["Refused", "cannot be reached: this machine's clock is wrong by more than 15 minutes; set it"],
  ExpiredToken: ["Refused", "cannot be reached: the credentials have expired; renew them"],
  InvalidToken: ["Refused", "cannot be reached: the session token does not hold; renew it"],
  AccessDenied: [
    "Refused",
    "is not allowed to us: give the key's user the right to read, write, list and delete there"
  ],
  AuthorizationHeaderMalformed: [
    "Refused",
    "cannot be reached: the region is another; look at AWS_REGION or the connection of kind s3"
  ],
  PermanentRedirect: ["Refused", "cannot be reached: the bucket is at another endpoint or in another region"],
  QuotaExceeded: ["Full", "cannot be written: the store's quota is used up; make room and start again"],
  XMinioStorageFull: ["Full", "cannot be written: the store is full; make room and start again"],
  EntityTooLarge: ["Refused", "cannot be written: it is larger than the store takes"],
  NotImplemented: ["Refused", "cannot be kept there: the store lacks an operation that is needed (conditional writes)"]
}

const byStatus: Readonly<Record<number, Meaning>> = {
  301: ["Refused", "cannot be reached: the bucket is at another endpoint or in another region"],
  307: ["Refused", "cannot be reached: the bucket is at another endpoint or in another region"],
  401: ["Refused", "is not allowed to us: look at the keys"],
  // HEAD has no words: it may be any of the keys, their rights, and the clock
  403: ["Refused", "is not allowed to us: look at the keys, at what they may do there, and at this machine's clock"],
  404: ["NotFound", "does not exist"],
  412: ["AlreadyExists", "exists already and is never replaced"],
  416: ["Corrupt", "ends before the bytes that were asked for: it is damaged"],
  507: ["Full", "cannot be written: the store is full; make room and start again"]
}

export const s3Error = (uri: string, refusal: S3Refusal): StorageError => {
  const { code, status, words } = refusal
  const fallback: Meaning = isPassing(refusal)
    ? ["Unavailable", "cannot be reached: the store is out of order or busy"]
    : ["Refused", "was refused"]
  // 404 of something else than the object: of a user, an account
  const known = status === 404 && code !== "" ? undefined : byStatus[status]
  const [reason, what] = byCode[code] ?? known ?? fallback
  const said = [code, words].filter((each) => each !== "").join(": ")
  return new StorageError({ reason, uri, message: `${uri} ${what} (${status}${said === "" ? "" : `, ${said}`})` })
}
