using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using TrackMate.Bind;
using TrackMate.Manage;
using TrackMate.Store;
using TrackMate.Store.Sqlite;

namespace TrackMate.Receive;

/// <summary>What the three receiving slices share: the store, the registry, the clock, and how a refusal is answered and kept.</summary>
internal sealed class Intake(SqliteStore store, Registry registry, RateLimit rateLimit, DailyQuota quota, TimeProvider time)
{
    public const int MaxEvents = 500;
    public const int MaxEventBytes = 32 * 1024;

    /// <summary>Of a refused event so much is kept.</summary>
    private const int KeptBytes = 4 * 1024;

    public Registry Registry => registry;

    public long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <exception cref="Refused">The address sends more than it may.</exception>
    public void LimitAddress(HttpContext http) => rateLimit.Take(http);

    /// <exception cref="Refused">The company has sent what it may today.</exception>
    public void LimitCompany(Company company, long receivedAt) => quota.Check(company, receivedAt);

    /// <summary>Reads a browser's body, and the company it names if its page may send for that.</summary>
    /// <exception cref="Refused">It breaks a rule, names no company, or comes from another origin than those the company lists.</exception>
    public (WireObject Wire, Company Company) ReadPublic(HttpContext http, RequestBody body)
    {
        WireObject wire;
        try
        {
            wire = WireObject.Read(body.Utf8, FieldPath.Body);
        }
        catch (Refused refused) when (WireObject.Peek(body.Utf8.Span, Member.CompanyId) is { } companyId && registry.Find(companyId) is { } company)
        {
            throw new Refusal(company, Origin.Browser, refused, WireObject.Peek(body.Utf8.Span, Member.EventId));
        }

        return (wire, CompanyOf(http, wire));
    }

    private Company CompanyOf(HttpContext http, WireObject wire)
    {
        var companyId = wire.RequiredText(Member.CompanyId);
        var company = registry.Find(companyId) ?? throw new Refused(Reason.UnknownCompany, "company_id names no company here; copy it from the dashboard's Get started page.", "company_id");
        var origin = http.Request.Headers.Origin.ToString();
        if (origin.Length > 0 && company.Settings.AllowedOrigins is { Count: > 0 } allowed && !allowed.Contains(origin, StringComparer.OrdinalIgnoreCase))
            throw new Refusal(company, Origin.Browser, new(Reason.OriginNotAllowed, $"The company does not list the origin {origin}; list it beside the others with: trackmate company set --origin, which takes all of them."));
        return company;
    }

    public async Task<Receipt[]> AppendAsync(IReadOnlyList<Message> messages, Rejected? rejected)
    {
        var receipts = await store.AppendAsync(messages, rejected);
        if (messages.Count == 0) return receipts;
        var duplicates = receipts.Count(receipt => receipt.Duplicate);
        ReceiveMetrics.Accepted(messages[0].Order.Origin is Origin.Browser ? "browser" : "server", messages.Count - duplicates, duplicates);
        return receipts;
    }

    /// <summary>Runs a slice: whatever it refuses is answered as a problem, and kept where it is known whose it is.</summary>
    /// <param name="sender">The company of the API key, where there is one: then even a body that cannot be read is kept.</param>
    public async Task Run(HttpContext http, Func<HttpContext, RequestBody, Task> slice, Company? sender = null)
    {
        RequestBody? body = null;
        try
        {
            body = await RequestBody.ReadAsync(http);
            await slice(http, body);
        }
        catch (Refusal refusal)
        {
            await KeepAsync(refusal, body);
            await Problems.WriteAsync(http, refusal.Refused);
        }
        catch (Refused refused)
        {
            // A spent quota says nothing about the message, and would push out what does; of whom is kept out nothing is kept.
            if (sender is not null && refused.Reason is not (Reason.QuotaSpent or Reason.Suppressed)) await KeepAsync(new(sender, Origin.Server, refused), body);
            await Problems.WriteAsync(http, refused);
        }
        finally
        {
            body?.Dispose();
        }
    }

    public static RejectedEvent ToKeep(Refused refused, string? eventId, ReadOnlyMemory<byte> body) =>
        new(eventId, refused.Status, refused.Message, body[..Math.Min(body.Length, KeptBytes)]);

    public static Task WriteAsync<T>(HttpContext http, T answer, JsonTypeInfo<T> type) => WriteAsync(http, JsonSerializer.SerializeToUtf8Bytes(answer, type));

    public static Task WriteAsync(HttpContext http, byte[] json)
    {
        http.Response.ContentType = "application/json; charset=utf-8";
        http.Response.ContentLength = json.Length;
        return http.Response.Body.WriteAsync(json, http.RequestAborted).AsTask();
    }

    private async Task KeepAsync(Refusal refusal, RequestBody? body)
    {
        try
        {
            var kept = ToKeep(refusal.Refused, refusal.EventId, body?.Utf8 ?? default);
            await store.AppendAsync([], new(refusal.Company, refusal.Origin, Now(), [kept]));
        }
        catch (StoreUnavailableException)
        {
            // The sender still learns what to mend; that the store is down is logged where it is noticed.
        }
    }
}

/// <summary>A refusal of which it is known whose it is, so that the company finds it among its rejected events.</summary>
internal sealed class Refusal(Company company, Origin origin, Refused refused, string? eventId = null) : Exception(refused.Message)
{
    public Company Company { get; } = company;

    public Origin Origin { get; } = origin;

    public Refused Refused { get; } = refused;

    public string? EventId { get; } = eventId;
}
