using TrackMate.Store.Derive;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>Derived rows that are updated as messages are written.</summary>
/// <param name="Claims">Claims on sessions, and the spans of the sessions.</param>
/// <param name="Runs">Runs of server events, the parts of server sessions.</param>
/// <param name="Persons">Which identifiers are one person. Derived once, after all messages of the transaction.</param>
/// <param name="Ledger">Payments and refunds.</param>
/// <param name="Keys">Order and parcel numbers of events, by which people are found.</param>
/// <param name="Contradictions">Alarms about browsers' claims that contradict a back end.</param>
internal sealed record DerivedRows(SessionClaims Claims, ServerRunRows Runs, PersonRows Persons, LedgerRows Ledger, EventKeyRows Keys, Contradictions Contradictions);
