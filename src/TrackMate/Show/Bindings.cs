using TrackMate.Bind;
using TrackMate.Store.Derive;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>Why events are on a person's timeline, a link at a time (B12).</summary>
/// <param name="sessionIdOf">The id of a session by its number.</param>
internal sealed class Bindings(Database database, Func<long, string> sessionIdOf)
{
    private readonly SessionReader sessions = new(database);
    private readonly Dictionary<long, ShownClaim> claims = [];
    private (ProfileId Person, JoinedPersons Joined)? joins;

    public BindingDocument Of(Person person, StoredEvent stored)
    {
        List<ChainLink> chain = [new("event", EventId: stored.EventId, At: Shown.Time(stored.Order.UnixMilliseconds))];
        var source = stored.Source!;
        var method = stored.NamedAs is { } named ? Shown.Name(named) : stored.Order.Origin is Origin.Server ? "sessionId" : "identify";
        if (source.Session is { } session)
        {
            chain.Add(new("session", SessionId: sessionIdOf(session)));
            if (source.Claim is { } number)
            {
                var claim = ClaimOf(person.Company, number);
                chain.Add(new("claim", ClaimId: ClaimIds.Of(claim.Origin, claim.EventId), Method: claim.Method is ClaimMethod.Identify ? "identify" : "webhook", Trust: Shown.Name(claim.Trust),
                    At: Shown.Time(claim.UnixMilliseconds), EventId: claim.EventId, SessionId: claim.SessionId));
            }
        }

        var identifier = person.Identifiers.FirstOrDefault(known => known.Number == source.Identifier) ?? person.Identifiers[0];
        chain.Add(new("identifier", Identifier: Shown.Document(identifier.Identifier)));
        var trust = source.Trust;
        foreach (var join in JoinsFrom(person, identifier.Number))
        {
            var next = person.Identifiers.First(known => known.Number == (join.Left.Number == identifier.Number ? join.Right : join.Left).Number);
            if (join.Merge is not null) method = "merge";
            if (join.Pair is { Trust: Trust.Claimed }) trust = Trust.Claimed;
            chain.Add(LinkOf(join));
            chain.Add(new("identifier", Identifier: Shown.Document(next.Identifier)));
            identifier = next;
        }

        chain.Add(new("profile", ProfileId: person.Id.ToString()));
        return new(method, Shown.Name(trust), chain);
    }

    private static ChainLink LinkOf(Join join) => join.Merge is { } merge
        ? new("merge", MergeId: merge.MergeId, At: Shown.Time(merge.UnixMilliseconds))
        : new("join", ClaimId: ClaimIds.Of(join.Pair!.Low.Id, join.Pair.High.Id), Trust: Shown.Name(join.Pair.Trust), At: Shown.Time(join.Pair.UnixMilliseconds), EventId: join.Pair.EventId);

    /// <summary>What makes an identifier one with that which stands for the person, a join at a time.</summary>
    private IReadOnlyList<Join> JoinsFrom(Person person, long identifier)
    {
        if (person.Identifiers[0].Number == identifier) return [];
        if (joins?.Person != person.Id) joins = (person.Id, new PersonRows(database).JoinsOf(person.Company, identifier));
        return joins.Value.Joined.Between(identifier, person.Identifiers[0].Number);
    }

    private ShownClaim ClaimOf(Company company, long number) => claims.TryGetValue(number, out var claim) ? claim : claims[number] = sessions.Claim(company, number);
}
