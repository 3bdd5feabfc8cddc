export {
  fraudShareDefault,
  fraudShareMax,
  makeTransactions,
  type GeneratedTransaction,
  type TransactionGenerator,
  type TransactionOptions
} from "./generate/Transactions.ts"
export { fraudLabels, type FraudLabel } from "./generate/Fraud.ts"
export { makeCorpus, type CorpusOptions } from "./oracle/Corpus.ts"
export {
  expectRawTransactions,
  type Expected,
  type OracleDay,
  type OracleDeadLetter,
  type OracleOptions,
  type OraclePosition,
  type OracleRecord,
  type OracleRow
} from "./oracle/RawTransactions.ts"
export { expectAlerts, type OracleAlert } from "./oracle/Alerts.ts"
export { letterRowsQuery, rawRow, rawRowsQuery, rowText, type TextRow } from "./oracle/RowText.ts"
export type { OracleReason } from "./oracle/FieldRules.ts"
export { makeTokenBucket, rateDefault, rateMax, RateRefused, type TokenBucket } from "./generate/TokenBucket.ts"
export { makeDelivery, type DeliveryOptions } from "./generate/Delivery.ts"
export { makeRandom, type Random } from "./generate/Random.ts"
export { generateAll, openTopic, topicCount } from "./generate/GenerateToTopic.ts"
export { type Kind, type KindName, kindNames, kinds } from "./generate/Kinds.ts"
export type { Outlet, OutletStatus } from "./generate/Outlet.ts"
export { runGenerator, type GeneratorOptions, type GeneratorProgress } from "./generate/RunGenerator.ts"
export type { GeneratedRecord, RecordSource } from "./generate/RecordSource.ts"
export { type ApplicationOptions, makeApplications } from "./generate/Applications.ts"
export { customersCount, makeCustomers } from "./generate/Customers.ts"
export { guessShareDefault, type LoginOptions, makeLogins } from "./generate/Logins.ts"
export { claimsCountDefault, makePayments, type PaymentOptions } from "./generate/Payments.ts"
export { behaviourDefault, type Behaviour } from "./bureau/Behaviour.ts"
export { type BureauOptions, type RunningBureau, serveBureau } from "./bureau/BureauServer.ts"
