using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Store.Acts;

/// <summary>
/// What operators do and undo (B12), inside the writer's transaction. An act is one row; what follows from it is derived as if the messages had come under it, so
/// that taking it back leaves nothing behind. None touches an event.
/// </summary>
internal sealed partial class ActWriter(Database database, DirtySessions marks)
{
    private readonly ActRows rows = new(database);
    private readonly SessionClaims claims = new(database, marks);
    private readonly PersonRows persons = new(database);
    private readonly PersonReader people = new(database);
    private readonly ProfileSnapshot held = new(database);
    private readonly SessionReader sessions = new(database);

    /// <summary>Takes back what a message said of its session: that pair of session and identifier was never said, by it or by any other, until it is lifted.</summary>
    public ActAnswer RevokeClaim(Company company, Origin origin, string eventId, bool lift, ActBy by)
    {
        return ClaimOf(company, origin, eventId) is { } claim ? RevokeClaim(company, claim.Session, claim.Identifier, lift, by) : ActRefusal.NotFound;
    }

    /// <summary>Takes back that two identifiers are one person, whoever said so or will say so, until it is lifted.</summary>
    public ActAnswer RevokePair(Company company, ProfileId one, ProfileId other, bool lift, ActBy by)
    {
        if (Number(company, one) is not { } left || Number(company, other) is not { } right || left == right) return ActRefusal.NotFound;
        return RevokePair(company, left, right, lift, by);
    }

    /// <summary>Says that a session is nobody's from then to then.</summary>
    /// <param name="from">Unix milliseconds, inclusive; <see cref="long.MinValue"/> for the beginning.</param>
    /// <param name="to">Unix milliseconds, exclusive; <see cref="long.MaxValue"/> for the end, also of what is still to come.</param>
    public ActAnswer Unbind(Company company, string sessionId, long from, long to, ActBy by)
    {
        return sessions.Find(company, sessionId) is { } session ? Unbind(company, session, from, to, by) : ActRefusal.NotFound;
    }

    private ActAnswer Unbind(Company company, long session, long from, long to, ActBy by) => Do(company, by, "unbind", () =>
    {
        var known = rows.Standing(company, ActKind.Unbind, session, null, null).FirstOrDefault(act => act.From == from && act.To == to);
        if (known is not null) return Change.None(known.ActId);
        var id = rows.Add(company, "unbind", ActKind.Unbind, by, session, from: from, to: to);
        return new(id, claims.Unbind(company, session));
    });

    /// <summary>Whether two ids lead to one profile by what is said of them, without a merge of just these two.</summary>
    public bool IsOnePerson(Company company, ProfileId one, ProfileId other) =>
        Number(company, one) is { } left && Number(company, other) is { } right && persons.PersonOf(company, left).Value == persons.PersonOf(company, right).Value
        && !rows.Standing(company, ActKind.Merge, null, left, right).Concat(rows.Standing(company, ActKind.Merge, null, right, left)).Any();

    /// <summary>Makes two profiles one, whatever is said of them, until it is taken back.</summary>
    public ActAnswer Merge(Company company, ProfileId one, ProfileId other, ActBy by)
    {
        if (Number(company, one) is not { } left || Number(company, other) is not { } right) return ActRefusal.NotFound;
        if (people.Find(company, one) is null || people.Find(company, other) is null) return ActRefusal.NotFound;
        return Merge(company, left, right, by);
    }

    private ActAnswer Merge(Company company, long left, long right, ActBy by)
    {
        var merged = rows.Standing(company, ActKind.Merge, null, left, right).Concat(rows.Standing(company, ActKind.Merge, null, right, left)).FirstOrDefault();
        return Do(company, by, "merge", () =>
        {
            if (merged is not null) return Change.None(merged.ActId);
            var id = rows.Add(company, "merge", ActKind.Merge, by, identifier: left, other: right);
            persons.Rejoin(company, [left, right]);
            return new(id, [left, right]);
        });
    }

    /// <summary>Takes a merge back.</summary>
    /// <param name="id">Of a profile that the merge is of; null for whichever.</param>
    public ActAnswer Unmerge(Company company, ProfileId? id, string mergeId, ActBy by)
    {
        if (rows.Find(company, mergeId) is not [{ Kind: ActKind.Merge, Identifier: { } left, Other: { } right } act]) return ActRefusal.NotFound;
        if (id is { } profile)
        {
            if (Number(company, profile) is not { } number) return ActRefusal.NotFound;
            var person = persons.PersonOf(company, number).Value;
            if (persons.PersonOf(company, left).Value != person && persons.PersonOf(company, right).Value != person) return ActRefusal.NotItsMerge;
        }

        return Do(company, by, "unmerge", () =>
        {
            if (act.Undone) return Change.None(mergeId);
            rows.Undo(company, mergeId, by);
            persons.Rejoin(company, [left, right]);
            return new(mergeId, [left, right]);
        });
    }

    /// <summary>Takes back everything that an identifier joined, and lets it join nothing: what an address that everybody uses needs.</summary>
    public ActAnswer Isolate(Company company, ProfileId id, ActBy by) => Number(company, id) is { } identifier ? Isolate(company, identifier, lift: false, by) : ActRefusal.NotFound;

    private ActAnswer Isolate(Company company, long identifier, bool lift, ActBy by) => Do(company, by, lift ? "unisolate" : "isolate", () =>
    {
        var known = rows.Standing(company, ActKind.Isolate, null, identifier, null).FirstOrDefault();
        if (IsDone(known, lift)) return Change.None(known?.ActId);
        if (known is not null) rows.Undo(company, known.ActId, by);
        return new(known?.ActId ?? rows.Add(company, "isolate", ActKind.Isolate, by, identifier: identifier), Recompute(company, [identifier]));
    });

    /// <summary>Freezes a profile: what is first said from now on joins none of its identifiers.</summary>
    public ActAnswer Freeze(Company company, ProfileId id, ActBy by) =>
        people.Find(company, id) is { } person ? Freeze(company, [.. person.Identifiers.Select(identifier => identifier.Identifier.Id)], by, by.At) : ActRefusal.NotFound;

    /// <summary>Freezes identifiers; one that is frozen already stays as it is.</summary>
    /// <param name="since">Unix milliseconds from which on nothing joins.</param>
    public ActAnswer Freeze(Company company, IReadOnlyCollection<ProfileId> ids, ActBy by, long since)
    {
        var identifiers = ids.Select(id => Number(company, id)).OfType<long>().ToList();
        return identifiers.Count == ids.Count ? Freeze(company, identifiers, by, since) : ActRefusal.NotFound;
    }

    private ActAnswer Freeze(Company company, List<long> identifiers, ActBy by, long since) => Do(company, by, "freeze", () =>
    {
        var frozen = identifiers.ToLookup(identifier => rows.Standing(company, ActKind.Freeze, null, identifier, null).FirstOrDefault()?.ActId);
        if (!frozen[null].Any()) return Change.None(frozen.First().Key);
        var id = ActRows.NewId("freeze");
        foreach (var identifier in frozen[null]) rows.Add(company, id, ActKind.Freeze, by, identifier: identifier, from: since, hasId: true);
        return new(id, Recompute(company, [.. frozen[null]]));
    });

    /// <summary>Does again what was taken back, as it was: what undoes an undoing.</summary>
    public ActAnswer DoAgain(Company company, string actId, ActBy by) => rows.Find(company, actId) switch
    {
        [{ Kind: ActKind.RevokeClaim, Session: { } session, Identifier: { } identifier }] => RevokeClaim(company, session, identifier, lift: false, by),
        [{ Kind: ActKind.RevokePair, Identifier: { } one, Other: { } other }] => RevokePair(company, one, other, lift: false, by),
        [{ Kind: ActKind.Merge, Identifier: { } left, Other: { } right }] => Merge(company, left, right, by),
        [{ Kind: ActKind.Unbind, Session: { } session, From: { } from, To: { } to }] => Unbind(company, session, from, to, by),
        [{ Kind: ActKind.Isolate, Identifier: { } identifier }] => Isolate(company, identifier, lift: false, by),
        [{ Kind: ActKind.Freeze, From: { } since }, ..] frozen => Freeze(company, [.. frozen.Select(act => act.Identifier!.Value)], by, since),
        _ => ActRefusal.NotFound,
    };

    /// <summary>Takes back an act by its id: a revocation, a merge, an un-binding, an isolation, a freeze.</summary>
    public ActAnswer TakeBack(Company company, string actId, ActBy by) => rows.Find(company, actId) switch
    {
        // What stands in its place now is another act.
        [{ Undone: true }, ..] => new ActOutcome(actId, Moved.Nothing, Changed: false, [], []),
        [{ Kind: ActKind.RevokeClaim, Session: { } session, Identifier: { } identifier }] => RevokeClaim(company, session, identifier, lift: true, by, only: actId),
        [{ Kind: ActKind.RevokePair, Identifier: { } one, Other: { } other }] => RevokePair(company, one, other, lift: true, by, only: actId),
        [{ Kind: ActKind.Merge }] => Unmerge(company, null, actId, by),
        [{ Kind: ActKind.Unbind, Session: { } session }] => Do(company, by, "rebind", () =>
        {
            rows.Undo(company, actId, by);
            return new(actId, claims.Unbind(company, session));
        }),
        [{ Kind: ActKind.Isolate, Identifier: { } identifier }] => Isolate(company, identifier, lift: true, by),
        [{ Kind: ActKind.Freeze }, ..] frozen => Do(company, by, "unfreeze", () =>
        {
            rows.Undo(company, actId, by);
            return new(actId, Recompute(company, [.. frozen.Select(act => act.Identifier!.Value)]));
        }),
        _ => ActRefusal.NotFound,
    };

    /// <param name="only">Of a lifting: the one act to take back; null for all that keep the claim away.</param>
    private ActAnswer RevokeClaim(Company company, long session, long identifier, bool lift, ActBy by, string? only = null) => Do(company, by, lift ? "lift" : "revoke", () =>
    {
        var standing = rows.Standing(company, ActKind.RevokeClaim, session, identifier, null);
        if (lift) standing = [.. standing.Concat(rows.Standing(company, ActKind.RevokeClaimed, session, identifier, null)).Where(act => only is null || act.ActId == only)];
        if ((standing.Count == 0) == lift) return Change.None(standing.FirstOrDefault()?.ActId);
        foreach (var act in standing) rows.Undo(company, act, by);
        var id = standing.FirstOrDefault()?.ActId ?? rows.Add(company, "revoke", ActKind.RevokeClaim, by, session, identifier);
        return new(id, RestandClaim(company, session, identifier));
    });

    private ActAnswer RevokePair(Company company, long one, long other, bool lift, ActBy by, string? only = null) => Do(company, by, lift ? "lift" : "revoke", () =>
    {
        var (low, high) = (Math.Min(one, other), Math.Max(one, other));
        var standing = rows.Standing(company, ActKind.RevokePair, null, low, high);
        if (lift) standing = [.. standing.Concat(rows.Standing(company, ActKind.RevokeClaimedPair, null, low, high)).Where(act => only is null || act.ActId == only)];
        if ((standing.Count == 0) == lift) return Change.None(standing.FirstOrDefault()?.ActId);
        foreach (var act in standing) rows.Undo(company, act, by);
        var id = standing.FirstOrDefault()?.ActId ?? rows.Add(company, "revoke", ActKind.RevokePair, by, identifier: low, other: high);
        return new(id, Recompute(company, [low, high]));
    });

    private List<long> RestandClaim(Company company, long session, long identifier)
    {
        // Whose place in the day it takes or frees stands or falls with it.
        List<long> touched = [identifier];
        foreach (var other in claims.Revoke(company, session, identifier).Append(session))
        {
            touched.AddRange(claims.Recompute(company, other, identifier));
            var said = persons.Pairs.SayFromSession(company, other, claims.ClaimsOn(company, other));
            if (said.Count > 0) persons.Rejoin(company, said);
            touched.AddRange(said);
        }

        return touched;
    }

    private List<long> Recompute(Company company, List<long> identifiers)
    {
        List<long> near = [.. identifiers, .. identifiers.SelectMany(identifier => persons.Pairs.Recompute(company, identifier))];
        return [.. identifiers, .. persons.RejoinEach(company, near)];
    }

    /// <summary>Whether what is asked for is so already: to revoke what is revoked, to lift what is not.</summary>
    private static bool IsDone(StoredAct? standing, bool lift) => lift ? standing is null : standing is not null;

    /// <summary>What an act did.</summary>
    /// <param name="Touched">The identifiers whose persons or spans may be others now; null where nothing was to be done.</param>
    private readonly record struct Change(string ActId, IReadOnlyList<long>? Touched)
    {
        /// <param name="actId">The act that stands already, if one does.</param>
        public static Change None(string? actId) => new(actId ?? "", null);
    }

    /// <summary>Does something, sees what moved by it, and notes who did it; or only sees.</summary>
    /// <param name="action">As the audit log calls it.</param>
    /// <param name="total">Of an act on many claims: what is counted of it.</param>
    private ActOutcome Do(Company company, ActBy by, string action, Func<Change> act, ClaimTotal? total = null)
    {
        database.Execute("SAVEPOINT act");
        var change = act();
        if (change.Touched is null)
        {
            database.Execute("RELEASE act");
            return new(change.ActId, Moved.Nothing, Changed: false, [], []);
        }

        // Only once it is done is it known whom it touches: so it is done, taken back, looked at, and done again.
        database.Execute("ROLLBACK TO act");
        var before = held.Of(company, change.Touched);
        change = act();
        var after = held.Of(company, [.. before.Identifiers]).Profiles;
        var moved = ProfileSnapshot.Moved(before.Profiles, after);
        long? line = null;
        if (by.DryRun) database.Execute("ROLLBACK TO act");
        else line = Note(company, by, action, change.ActId, moved, total);
        database.Execute("RELEASE act");
        return new(change.ActId, moved, Changed: true, [.. before.Profiles.Values], [.. after.Values], line);
    }

    private long Note(Company company, ActBy by, string action, string actId, Moved moved, ClaimTotal? total = null) =>
        Audit.Note(database, company, by.Actor, by.At, action, writer =>
        {
            writer.WriteString("id", actId);
            if (total is not null) writer.WriteNumber("claims", total.Claims);
            writer.WriteNumber("events", moved.Events);
            writer.WriteNumber("sessions", moved.Sessions);
            if (moved.Revenue.Count == 0) return;
            writer.WriteStartObject("revenue");
            foreach (var (currency, amount) in moved.Revenue) writer.WriteString(currency, Money.Format(amount, currency));
            writer.WriteEndObject();
        });

    private (long Session, long Identifier)? ClaimOf(Company company, Origin origin, string eventId)
    {
        using var row = database.Use("""
            SELECT c.session, c.identifier FROM message m JOIN claim c ON c.company = m.company AND c.message = m.id
            WHERE m.company = ? AND m.origin = ? AND m.event_id = ? AND c.session IS NOT NULL
            """);
        return row.With(company.Number).With((long)origin).With(eventId).Next() ? (row.Long(0), row.Long(1)) : null;
    }

    private long? Number(Company company, ProfileId id)
    {
        Span<byte> leaf = stackalloc byte[ProfileId.ByteLength];
        id.CopyTo(leaf);
        using var row = database.Use("SELECT id FROM identifier WHERE company = ? AND leaf = ?");
        return row.With(company.Number).WithBlob(leaf).Next() ? row.Long(0) : null;
    }
}
