using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Store;
using TrackMate.Store.Acts;
using TrackMate.Store.Tables;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>The calls of operators, for keys with the scope <c>admin</c>: why a person is bound as it is, and how to change and undo that (B12).</summary>
internal sealed class ActApi(MessageStore store, Registry registry, TimeProvider time)
{
    public Task Claims(HttpContext http)
    {
        var (company, _) = Keys.Authorize(http, registry);
        var limit = Queries.LimitOf(http);
        var after = Cursors.ReadEvent(company, Queries.CursorOf(http));
        ClaimsPage page;
        using (var snapshot = store.Read(company)) page = new ClaimDocuments(snapshot.Database).Page(new Documents(snapshot.Database, company).PersonOf(Queries.ProfileOf(http)), after, limit);
        return JsonAnswer.WriteAsync(http, page, Shown.Json.ClaimsPage);
    }

    public Task AuditLog(HttpContext http)
    {
        var (company, _) = Keys.Authorize(http, registry);
        var limit = Queries.LimitOf(http);
        var before = Cursors.ReadNumber(company, Queries.CursorOf(http));
        AuditPage page;
        using (var snapshot = store.Read(company)) page = ClaimDocuments.AuditPage(snapshot.Database, company, before, limit);
        return JsonAnswer.WriteAsync(http, page, Shown.Json.AuditPage);
    }

    public async Task Revoke(HttpContext http)
    {
        if (!ClaimSet.IsId(IdOf(http)))
        {
            await Act(http, "claim", _ => Revocation(IdOf(http), lift: false), _ => new(ClaimId: IdOf(http)));
            return;
        }

        var (company, key) = Keys.Authorize(http, registry);
        var body = await BodyFields.ReadAsync(http);
        var by = By(key, body);
        var done = await new ClaimUndo(store).RestoreAsync(company, IdOf(http), by) ?? throw Acts.RefusedBy(ActRefusal.NotFound, "claim");
        await WriteAsync(http, IdOf(http), done, by);
    }

    /// <summary>Undoes every claim of browsers that fits, as one act.</summary>
    public async Task RevokeMany(HttpContext http)
    {
        var (company, key) = Keys.Authorize(http, registry);
        var body = await BodyFields.ReadAsync(http);
        var by = By(key, body);
        var done = await new ClaimUndo(store).UndoAsync(company, AskedClaims.Read(body, company), by) ?? throw AskedClaims.TooMany();
        await WriteAsync(http, done.ActId, done, by);
    }

    private ActBy By(ApiKey key, BodyFields body) => new(key.Shown, time.GetUtcNow().ToUnixTimeMilliseconds(), body.Flag("dryRun"));

    private static Task WriteAsync(HttpContext http, string? actId, ClaimUndone done, ActBy by) => JsonAnswer.WriteAsync(http, DocumentOf(new(ClaimId: actId), done.Moved, by) with
    {
        Claims = new(done.Claims, done.Sessions, done.Pairs, done.IsExact),
    }, Shown.Json.ActDocument);

    private static ActDocument DocumentOf(ActDocument answer, Moved moved, ActBy by) => answer with
    {
        DryRun = by.DryRun,
        Events = moved.Events,
        Sessions = moved.Sessions,
        Revenue = [.. moved.Revenue.Select(revenue => new RevenueDocument(revenue.Currency, Money.Format(revenue.Amount, revenue.Currency)))],
    };

    public Task Lift(HttpContext http) => Act(http, "claim", _ => Revocation(IdOf(http), lift: true), _ => new(ClaimId: IdOf(http)));

    private static ActCall Revocation(string claimId, bool lift) => (acts, company, by) => Acts.Revoke(acts, company, claimId, lift, by);

    public Task Unbind(HttpContext http) => Act(http, "session", body =>
    {
        var (session, from, to) = (IdOf(http), body.Time("from") ?? long.MinValue, body.Time("to") ?? long.MaxValue);
        if (from >= to) throw new RejectionException(Reason.BadValue, "from is not before to.", "from");
        return (acts, company, by) => acts.Unbind(company, session, from, to, by);
    }, actId => new(ClaimId: actId));

    public Task Merge(HttpContext http) => Act(http, "profile", body =>
    {
        var (one, other) = (Queries.ProfileOf(http), body.RequiredProfile("profileId"));
        return (acts, company, by) => acts.IsOnePerson(company, one, other) ? ActRefusal.OnePerson : acts.Merge(company, one, other, by);
    }, actId => new(MergeId: actId));

    public Task Unmerge(HttpContext http) => Act(http, "merge", body =>
    {
        var (profile, merge) = (Queries.ProfileOf(http), body.RequiredText("mergeId"));
        return (acts, company, by) => acts.Unmerge(company, profile, merge, by);
    }, actId => new(MergeId: actId));

    public Task Isolate(HttpContext http) => Act(http, "profile", _ =>
    {
        var profile = Queries.ProfileOf(http);
        return (acts, company, by) => acts.Isolate(company, profile, by);
    }, actId => new(ClaimId: actId));

    public Task Freeze(HttpContext http) => Act(http, "profile", _ =>
    {
        var profile = Queries.ProfileOf(http);
        return (acts, company, by) => acts.Freeze(company, profile, by);
    }, actId => new(ClaimId: actId));

    /// <summary>Reads and validates the request, acts in the writer's transaction, and answers what moved.</summary>
    /// <param name="what">What a 404 says is not there.</param>
    /// <param name="read">Reads the path and the body.</param>
    /// <param name="answer">Puts the act's id where the call has it; a preview has none.</param>
    private async Task Act(HttpContext http, string what, Func<BodyFields, ActCall> read, Func<string?, ActDocument> answer)
    {
        var (company, key) = Keys.Authorize(http, registry);
        var body = await BodyFields.ReadAsync(http);
        var by = By(key, body);
        var call = read(body);
        var acted = await store.ActAsync(company, (acts, current) => call(acts, current, by));
        var outcome = acted.Outcome ?? throw Acts.RefusedBy(acted.AttributedRejection!.Value, what);
        await JsonAnswer.WriteAsync(http, DocumentOf(answer(by.DryRun && outcome.Changed ? null : outcome.ActId), outcome.Moved, by), Shown.Json.ActDocument);
    }

    /// <summary>The segment before the verb, as it was meant: a session's id may hold a slash.</summary>
    private static string IdOf(HttpContext http) => Queries.Segment(http, fromEnd: 1);
}

/// <summary>What an act's id leads to, and what a refusal of one says: the same for the calls and the dashboard.</summary>
internal static class Acts
{
    /// <summary>Takes back or lifts a claim by its public id; an operator's own claim is taken back by revoking it.</summary>
    public static ActAnswer Revoke(ActWriter acts, Company company, string claimId, bool lift, ActBy by)
    {
        if (ClaimIds.ReadPair(claimId) is { } pair) return acts.RevokePair(company, pair.Low, pair.High, lift, by);
        if (ClaimIds.ReadMessage(claimId) is { } message) return acts.RevokeClaim(company, message.Origin, message.EventId, lift, by);
        return lift ? ActRefusal.NotFound : acts.TakeBack(company, claimId, by);
    }

    public static RejectionException RefusedBy(ActRefusal refusal, string what) => refusal switch
    {
        ActRefusal.OnePerson => new(Reason.BadValue, "profileId already belongs to the same profile; there is nothing to merge.", "profileId"),
        ActRefusal.NotItsMerge => new(Reason.NotFound, "This profile has no merge with this id."),
        _ => new(Reason.NotFound, $"The company has no {what} with this id."),
    };
}
