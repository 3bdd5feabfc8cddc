/**
 * Every contract there is: what commands, sinks and masks look topics up in.
 */
import type { Topic } from "@frazil/core"
import { Alerts } from "./Alert.ts"
import { Clickstream } from "./Clickstream.ts"
import { Customers } from "./Customer.ts"
import { DeadLetters } from "./DeadLetter.ts"
import { EnrichedPayments, LargeClaims } from "./EnrichedPayment.ts"
import { FailedApplications } from "./FailedApplication.ts"
import { FailedPayments } from "./FailedPayment.ts"
import { FraudFeatures } from "./FraudFeature.ts"
import { Ledger } from "./Ledger.ts"
import { Authentication } from "./Login.ts"
import { LoanApplications } from "./LoanApplication.ts"
import { LoanDecisions } from "./LoanDecision.ts"
import { MaintenanceRuns } from "./MaintenanceRun.ts"
import { OperationsAlerts } from "./OperationsAlert.ts"
import { PaymentEvents } from "./PaymentEvent.ts"
import { RawTransactions } from "./RawTransaction.ts"
import { SecurityAlerts } from "./SecurityAlert.ts"
import { ExternalChecks, InternalChecks } from "./RoutedApplication.ts"
import { SessionSummaries } from "./SessionSummary.ts"
import { Transactions } from "./Transaction.ts"

const declared = [
  RawTransactions,
  Alerts,
  DeadLetters,
  LoanApplications,
  Customers,
  InternalChecks,
  ExternalChecks,
  LoanDecisions,
  FailedApplications,
  PaymentEvents,
  EnrichedPayments,
  FailedPayments,
  LargeClaims,
  Authentication,
  SecurityAlerts,
  Clickstream,
  SessionSummaries,
  Transactions,
  FraudFeatures,
  Ledger,
  OperationsAlerts,
  MaintenanceRuns
]

/** Read by name and shape: whoever takes a record out of one looks its fields up there. */
export const contracts = declared as unknown as ReadonlyArray<Topic<object>> // each is a topic of objects of its own
