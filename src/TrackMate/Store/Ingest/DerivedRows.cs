using TrackMate.Store.Derive;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>What follows from messages, brought up to date as they are written.</summary>
/// <param name="Claims">Who somebody says that a session is, and the session's spans.</param>
/// <param name="Runs">Server sessions.</param>
/// <param name="Persons">Which identifiers are one person; derived once, after all messages.</param>
/// <param name="Ledger">Payments and refunds.</param>
/// <param name="Keys">Whose an order or a parcel is.</param>
/// <param name="Contradictions">Alarms where browsers claim what back ends know otherwise.</param>
internal sealed record DerivedRows(SessionClaims Claims, ServerRunRows Runs, PersonRows Persons, LedgerRows Ledger, EventKeyRows Keys, Contradictions Contradictions);
