using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>What binds a person, and who decided what, as documents.</summary>
internal sealed class ClaimDocuments(Database database)
{
    /// <summary>Of one message so many claims at most: they may stand on both sides of a page's end.</summary>
    private const int OfOneMessage = 8;

    /// <summary>A page of a person's claims, newest first.</summary>
    public ClaimsPage Page(Person person, EventCursor? after, int limit)
    {
        var claims = new ClaimReader(database).Of(person, after?.Order.UnixMilliseconds ?? long.MaxValue, limit + OfOneMessage)
            .Select(claim => (Claim: claim, Key: $"{claim.Key}\n{IdOf(claim)}"))
            .OrderByDescending(claim => claim.Claim.At).ThenByDescending(claim => claim.Key, StringComparer.Ordinal)
            .Where(claim => after is null || claim.Claim.At < after.Order.UnixMilliseconds || string.CompareOrdinal(claim.Key, after.EventId) < 0)
            .Take(limit + 1).ToList();
        return new([.. claims.Take(limit).Select(claim => DocumentOf(claim.Claim))],
            claims.Count > limit ? Cursors.Write(person.Company, new EventCursor(EventOrder.Start(claims[limit - 1].Claim.At), claims[limit - 1].Key)) : null);
    }

    public static AuditPage AuditPage(Database database, Company company, long? before, int limit)
    {
        var lines = Audit.Read(database, company, before, limit + 1);
        return new([.. lines.Take(limit).Select(line => new AuditDocument(Shown.Time(line.At), line.Actor, line.Action, System.Text.Json.JsonElement.Parse(line.Detail)))],
            lines.Count > limit ? Cursors.Write(company, lines[limit - 1].Number) : null);
    }

    public static string IdOf(ListedClaim claim) => claim.Kind switch
    {
        ListedClaimKind.Session => ClaimIds.Of(claim.Origin!.Value, claim.EventId!),
        ListedClaimKind.Join => ClaimIds.Of(claim.Identifiers[0].Id, claim.Identifiers[1].Id),
        _ => claim.ActId!,
    };

    private static ClaimDocument DocumentOf(ListedClaim claim) => new(
        IdOf(claim),
        claim.Kind.ToString().ToLowerInvariant(),
        claim.Stands ? "standing" : claim.Stop is JoinStop.Revoked ? "revoked" : "stopped",
        claim.Stop is null or JoinStop.Revoked ? null : Warnings.Of(claim.Stop.Value),
        Shown.Time(claim.At),
        claim.Method switch { ClaimMethod.Identify => "identify", ClaimMethod.Webhook => "webhook", _ => null },
        claim.Trust is { } trust ? Shown.Name(trust) : null,
        claim.EventId,
        claim.Session,
        [.. claim.Identifiers.Select(identifier => Shown.Document(identifier))],
        claim.Actor,
        claim.From == long.MinValue ? null : Shown.Time(claim.From),
        claim.To == long.MaxValue ? null : Shown.Time(claim.To));
}
