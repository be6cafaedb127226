using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Store;
using TrackMate.Store.Erase;
using TrackMate.Store.Sql;

namespace TrackMate.Show;

/// <summary><c>DELETE /api/profiles/{id}</c>, for keys with the scope <c>admin</c>: a person asks to be forgotten.</summary>
internal sealed partial class ErasureApi(MessageStore store, Eraser eraser, Registry registry, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<ErasureApi> log)
{
    /// <summary>The answer waits so long for the bytes to leave the files; the work goes on without it.</summary>
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(10);

    public static void Map(WebApplication app)
    {
        var api = app.Services.GetRequiredService<ErasureApi>();
        app.MapDelete("/api/profiles/{id}", api.Erase).Describe(new("eraseProfile", CallGroup.Decide, "Erase a person",
            "Every message that names the person and every event on the timeline, out of the tables and the files. It cannot be taken back. Everybody else looks as if these had never been sent.",
            typeof(ErasureDocument), """{"profileId":"671234567890abcdef123456","dryRun":false,"erased":{"events":6,"identifies":1,"sessions":2,"identifiers":2,"rejected":0,"revenue":[{"currency":"USD","amount":"79.99"}]},"files":"clean"}""")
        {
            Parameters =
            [
                RouteParameter.Profile,
                new("dryRun", "true only says what would go."),
                new("suppress", "true keeps a keyed hash, by which the person stays away."),
            ],
            Problems = [400, 401, 403, 404, 503],
            Scope = Scopes.Admin,
        });
    }

    public async Task Erase(HttpContext http)
    {
        var (company, key) = Keys.Authorize(http, registry);
        var (dryRun, suppress) = (Queries.FlagOf(http, "dryRun"), Queries.FlagOf(http, "suppress"));
        if (!ProfileId.TryParse((string?)http.Request.RouteValues["id"], out var id)) throw NotFound();
        if (dryRun)
        {
            using var snapshot = store.Read(company);
            var preview = new ErasureWriter(snapshot.Database).Preview(company, id) ?? throw NotFound();
            await JsonAnswer.WriteAsync(http, DocumentOf(preview, dryRun, files: null), Shown.Json.ErasureDocument);
            return;
        }

        ErasureState state;
        try
        {
            state = await eraser.EraseRowsAsync(company, id, new(key.Shown, time.GetUtcNow().ToUnixTimeMilliseconds(), DryRun: false), suppress) ?? throw NotFound();
        }
        catch (ErasureUnfinishedException e)
        {
            // It is under way, whatever becomes of this call: asked again, there would be nobody of this id.
            LogNotGone(log, company.CompanyId, StoreUnavailableException.CauseOf(e.InnerException!));
            await JsonAnswer.WriteAsync(http, DocumentOf(e.Erased, dryRun, "later"), Shown.Json.ErasureDocument);
            return;
        }

        var cleaning = CleanAsync(state);
        var clean = await Task.WhenAny(cleaning, Task.Delay(LongestAnswer, time, http.RequestAborted)) == cleaning && await cleaning;
        await JsonAnswer.WriteAsync(http, DocumentOf(state.Erased, dryRun, clean ? "clean" : "later"), Shown.Json.ErasureDocument);
    }

    private async Task<bool> CleanAsync(ErasureState state)
    {
        try
        {
            return await eraser.CleanFilesAsync(state, lifetime.ApplicationStopping);
        }
        catch (OperationCanceledException)
        {
            // The server stops; the next start goes on with it.
            return false;
        }
        catch (Exception e) when (e is StoreUnavailableException or IOException or System.Data.Common.DbException)
        {
            LogNotClean(log, state.Company.CompanyId, StoreUnavailableException.CauseOf(e));
            return false;
        }
    }

    private static RejectionException NotFound() => new(Reason.NotFound, "The company has no profile with this id.");

    private static ErasureDocument DocumentOf(Erased erased, bool dryRun, string? files) => new(
        erased.Profile.ToString(),
        dryRun,
        new(erased.Events, erased.Identifies, erased.Sessions, erased.Identifiers, erased.Rejected,
            [.. erased.Revenue.Select(revenue => new RevenueDocument(revenue.Currency, Money.Format(revenue.Amount, revenue.Currency)))]),
        files);

    [LoggerMessage(EventId = 30, Level = LogLevel.Warning, Message = "What was erased of {CompanyId} may be left as bytes in the store's files: {Reason}. That is gone on with by itself.")]
    private static partial void LogNotClean(ILogger logger, string companyId, string reason);

    [LoggerMessage(EventId = 34, Level = LogLevel.Warning, Message = "An erasure of {CompanyId} has hidden somebody and not taken all of their rows out yet: {Reason}. It is gone on with within a minute.")]
    private static partial void LogNotGone(ILogger logger, string companyId, string reason);
}
