/** The contracts of lending and claims, each told once more in words of their own. */
import { Decoder, Encoder, KeyScanner, makeRecordBuilder, type Topic } from "@frazil/core"
import { describe, expect, it } from "vitest"
import {
  Authentication,
  Clickstream,
  Customers,
  EnrichedPayments,
  ExternalChecks,
  FailedApplications,
  FraudFeatures,
  FailedPayments,
  InternalChecks,
  LargeClaims,
  LoanApplications,
  LoanDecisions,
  OperationsAlerts,
  PaymentEvents,
  SecurityAlerts,
  SessionSummaries,
  Transactions
} from "../src/index.ts"
import * as model from "../src/index.ts"

const id = "0f0f0f0f-0000-4000-8000-000000000000"
const at = "2026-01-14T23:45:00.000Z"

const application = {
  application_id: id,
  customer_id: "C1",
  ssn: "123456789",
  amount: 1250.5,
  currency: "EUR",
  merchant_id: "M1",
  term_months: 12,
  country: "DE",
  applied_at: at
}
const routed = { ...application, routed_at: at, route_reason: "known customer" }
const payment = { payment_id: "P1", claim_id: "CL1", payment_amount: 99.95, payment_date: at, processor_id: "PR1" }
const enriched = {
  ...payment,
  member_id: "ME1",
  claim_amount: 12000.01,
  claim_status: "open",
  enrichment_status: "SUCCESS",
  enrichment_timestamp: at
}

interface Contract {
  readonly topic: Topic<never>
  readonly name: string
  readonly key: string
  readonly eventTime: string | undefined
  readonly record: Readonly<Record<string, unknown>>
  /** May be absent or null. */
  readonly optional: ReadonlyArray<string>
  readonly personal: ReadonlyArray<string>
  readonly wrong: ReadonlyArray<readonly [field: string, value: unknown, reason: string]>
}

const applicationWrong = [
  ["application_id", "1", "bad_format"],
  ["ssn", "12345678A", "bad_format"],
  ["ssn", "12345678", "bad_format"],
  ["ssn", 123456789, "wrong_type"],
  ["amount", 1.005, "too_many_digits"],
  ["amount", "12345678901.00", "too_many_digits"],
  ["term_months", 1.5, "wrong_type"],
  ["term_months", 0, "out_of_range"],
  ["country", "DEU", "bad_format"],
  ["currency", "eur", "bad_format"],
  ["applied_at", "1999-12-31T23:59:59Z", "event_time_out_of_range"]
] as const

const paymentWrong = [
  ["claim_id", null, "wrong_type"],
  ["payment_amount", "x", "bad_format"],
  ["payment_date", 5, "wrong_type"]
] as const

const of = <A>(topic: Topic<A>, rest: Omit<Contract, "topic">): Contract => ({
  topic: topic as unknown as Topic<never>, // its shape and schema are all that is looked at
  ...rest
})

const contracts: ReadonlyArray<Contract> = [
  of(LoanApplications, {
    name: "loan_applications",
    key: "C1",
    eventTime: "applied_at",
    record: application,
    optional: ["customer_id"],
    personal: ["ssn"],
    wrong: applicationWrong
  }),
  of(Customers, {
    name: "customers",
    key: "C1",
    eventTime: undefined,
    record: {
      customer_id: "C1",
      name: "A B",
      credit_score: 780,
      income: 80000,
      credit_limit: 5000,
      home_country: "DE",
      since: "2020-02-29"
    },
    optional: [],
    personal: ["name"],
    wrong: [
      ["credit_score", "780", "wrong_type"],
      ["income", 0.001, "too_many_digits"],
      ["since", "2021-02-29", "bad_format"]
    ]
  }),
  ...[InternalChecks, ExternalChecks].map((topic) =>
    of(topic, {
      name: topic === InternalChecks ? "internal_checks" : "external_checks",
      key: "C1",
      eventTime: "applied_at",
      record: routed,
      optional: ["customer_id"],
      personal: ["ssn"],
      wrong: [...applicationWrong, ["routed_at", undefined, "missing_field"]]
    })
  ),
  of(LoanDecisions, {
    name: "loan_decisions",
    key: id,
    eventTime: "decided_at",
    record: {
      application_id: id,
      customer_id: "C1",
      outcome: "approved",
      reasons: ["score"],
      score: 700,
      score_source: "bureau",
      rule_set: "lending",
      rule_version: 1,
      decided_at: at,
      timings: { routed_ms: 5, looked_up_ms: 812.5, decided_ms: 820 }
    },
    optional: ["customer_id", "score"],
    personal: [],
    wrong: [
      ["outcome", "maybe", "not_allowed"],
      ["score_source", "guess", "not_allowed"],
      ["rule_version", 0, "out_of_range"]
    ]
  }),
  of(FailedApplications, {
    name: "failed_applications",
    key: id,
    eventTime: "applied_at",
    record: { ...application, error: "BUREAU_INVALID_ANSWER", attempts: 3, message: "no number" },
    optional: ["customer_id"],
    personal: ["ssn"],
    wrong: [...applicationWrong, ["error", "BUREAU_REJECTED", "not_allowed"], ["attempts", -1, "out_of_range"]]
  }),
  of(PaymentEvents, {
    name: "payment-events",
    key: "CL1",
    eventTime: "payment_date",
    record: payment,
    optional: [],
    personal: [],
    wrong: paymentWrong
  }),
  ...[EnrichedPayments, LargeClaims].map((topic) =>
    of(topic, {
      name: topic === EnrichedPayments ? "enriched-payments" : "large-claims",
      key: "CL1",
      eventTime: "payment_date",
      record: enriched,
      optional: ["claim_status"],
      personal: [],
      wrong: [
        ...paymentWrong,
        ["member_id", null, "wrong_type"],
        ["claim_amount", "123456789.01", "too_many_digits"],
        ["enrichment_status", "DB_ERROR", "not_allowed"]
      ]
    })
  ),
  of(FailedPayments, {
    name: "failed-payments",
    key: "CL1",
    eventTime: "payment_date",
    record: {
      ...payment,
      enrichment_status: "DB_TIMEOUT",
      reason: "no answer within 5 s",
      attempts: 2,
      enrichment_timestamp: at
    },
    optional: [],
    personal: [],
    wrong: [...paymentWrong, ["enrichment_status", "SUCCESS", "not_allowed"]]
  }),
  of(Authentication, {
    name: "authentication",
    key: "192.168.1.100",
    eventTime: "timestamp",
    record: { user_id: "U456", result: "failed", ip: "192.168.1.100", country: "DE", timestamp: at },
    optional: ["country"],
    personal: [],
    wrong: [
      ["result", "locked", "not_allowed"],
      ["ip", null, "wrong_type"],
      ["timestamp", "1999-12-31T23:59:59Z", "event_time_out_of_range"]
    ]
  }),
  of(SecurityAlerts, {
    name: "security-alerts",
    key: "192.168.1.100",
    eventTime: "event_timestamp",
    record: {
      kind: "failed_logins",
      ip: "192.168.1.100",
      user_id: "U456",
      failed_attempts: 3,
      time_window: "09:15-09:25",
      severity: "high",
      event_timestamp: at
    },
    optional: ["ip"],
    personal: [],
    wrong: [
      ["kind", "phishing", "not_allowed"],
      ["severity", "worst", "not_allowed"],
      ["failed_attempts", -1, "out_of_range"]
    ]
  }),
  of(Clickstream, {
    name: "clickstream",
    key: "U789",
    eventTime: "timestamp",
    record: { user_id: "U789", event_type: "product_view", product_id: "P123", category: "books", timestamp: at },
    optional: ["product_id", "category"],
    personal: [],
    wrong: [
      ["user_id", null, "wrong_type"],
      ["event_type", undefined, "missing_field"],
      ["timestamp", "yesterday", "bad_format"]
    ]
  }),
  of(SessionSummaries, {
    name: "session-summaries",
    key: "U789",
    eventTime: "session_end_time",
    record: {
      user_id: "U789",
      session_start_time: at,
      session_end_time: at,
      clicks: 1,
      products: ["P123"],
      categories: [],
      duration_ms: 0
    },
    optional: [],
    personal: [],
    wrong: [
      ["clicks", 0, "out_of_range"],
      ["duration_ms", -1, "out_of_range"],
      ["products", ["P1", 2], "wrong_type"]
    ]
  }),
  of(Transactions, {
    name: "transactions",
    key: "C123",
    eventTime: "timestamp",
    record: { customer_id: "C123", amount: 250.5, merchant_id: "M456", timestamp: at },
    optional: [],
    personal: [],
    wrong: [
      ["customer_id", null, "wrong_type"],
      ["amount", 1.005, "too_many_digits"],
      ["merchant_id", undefined, "missing_field"],
      ["timestamp", "1999-12-31T23:59:59Z", "event_time_out_of_range"]
    ]
  }),
  of(FraudFeatures, {
    name: "fraud-features",
    key: "C123",
    eventTime: "window_start",
    record: {
      customer_id: "C123",
      window_start: at,
      window_end: at,
      revision: 0,
      transaction_count_5min: 3,
      transaction_total_5min: 250.5
    },
    optional: [],
    personal: [],
    wrong: [
      ["transaction_count_5min", 0, "out_of_range"],
      ["transaction_total_5min", 1.005, "too_many_digits"],
      ["revision", -1, "out_of_range"]
    ]
  }),
  of(OperationsAlerts, {
    name: "operations-alerts",
    key: "loan_applications",
    eventTime: "since",
    record: {
      subject: "loan_applications",
      kind: "lag",
      state: "firing",
      value: 12000,
      threshold: 10000,
      since: at
    },
    optional: [],
    personal: [],
    wrong: [
      ["kind", "weather", "not_allowed"],
      ["state", "opened", "not_allowed"]
    ]
  })
]

const bytesOf = (record: unknown) => new TextEncoder().encode(JSON.stringify(record))

const decoded = (topic: Topic<never>, record: unknown) => {
  const builder = makeRecordBuilder()
  builder.add(bytesOf(record), null)
  const packed = builder.take()
  const decoder = Decoder.make(topic)
  const batch = decoder.decode({ ...packed, offsets: new Float64Array(1), timestamps: new Float64Array(1) })
  return { record: batch.failures.length === 0 ? decoder.record(batch, 0) : undefined, failure: batch.failures[0] }
}

describe.each(contracts)("$name", ({ eventTime, key, name, optional, personal, record, topic, wrong }) => {
  it("has the fields, the key and the event time of the contract", () => {
    expect(topic.name).toBe(name)
    expect(topic.eventTime).toBe(eventTime)
    const names = topic.shape.fields.map((field) => field.name)
    expect(names).toEqual(Object.keys(record))
    const named = (mark: "nullable" | "personal") =>
      topic.shape.fields.filter((field) => field[mark]).map((field) => field.name)
    expect(named("nullable")).toEqual(optional)
    expect(named("personal")).toEqual(personal)
    const bytes = bytesOf(record)
    expect(KeyScanner.make(topic).keyOf(bytes, 0, bytes.length)).toBe(key)
  })

  it("gives back what was written, with and without what may be absent", () => {
    const sparse = Object.fromEntries(Object.entries(record).filter(([field]) => !optional.includes(field)))
    for (const written of [
      record,
      sparse,
      { ...record, ...Object.fromEntries(optional.map((each) => [each, null])) }
    ]) {
      const read = decoded(topic, written)
      expect(read.failure).toBe(undefined)
      const again: unknown = JSON.parse(Encoder.make(topic)(read.record!))
      expect(again).toEqual(Object.fromEntries(Object.entries(written).filter(([, value]) => value !== null)))
    }
  })

  it.each(wrong)("refuses %s: %j (%s), and does not say what it was", (field, value, reason) => {
    const { failure } = decoded(topic, { ...record, [field]: value })
    expect(failure).toMatchObject({ field, reason })
    if (typeof value === "string") expect(failure!.message).not.toContain(value)
  })
})

it("an application without a customer goes by its own id", () => {
  const { customer_id: _, ...unknown } = application
  const bytes = bytesOf(unknown)
  expect(KeyScanner.make(LoanApplications).keyOf(bytes, 0, bytes.length)).toBe(id)
})

it("lists every topic that it declares", () => {
  const topics = Object.values(model).filter((each) => typeof each === "object" && "shape" in each)
  expect(new Set<unknown>(model.contracts)).toEqual(new Set<unknown>(topics))
})
