using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Store;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Receive;

/// <summary>What the three receiving slices share: the store, the registry, the clock, and how a refusal is answered and kept.</summary>
internal sealed class Intake(MessageStore store, Registry registry, RateLimit rateLimit, DailyQuota quota, ParseGate gate, DiskSpace disk, TimeProvider time)
{
    /// <summary>Of a refused event so much is kept: all that one may have, so that it can be mended.</summary>
    private const int KeptBytes = Batches.MaxEventBytes;

    /// <summary>So far the company is looked for in a large body before its turn.</summary>
    private const int PeekedBytes = 4096;

    /// <summary>Of a batch that is refused as a whole so much is kept.</summary>
    private const int KeptBatchBytes = 256 * 1024;

    private SenderCheck? checkSender;

    public Registry Registry => registry;

    public long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>What strangers send does not fill the last of the disk: back ends and erasures need it.</summary>
    /// <exception cref="RejectionException">The disk has less room than its reserve.</exception>
    public void RequireRoom()
    {
        if (disk.Room.IsBelowReserve) throw new RejectionException(Reason.DiskReserve, "The server's disk is nearly full, so it takes nothing from browsers now; send this again later.", retryAfterSeconds: 30);
    }

    /// <exception cref="RejectionException">The address sends more than it may.</exception>
    public void LimitAddress(HttpContext http) => rateLimit.Take(http);

    /// <exception cref="RejectionException">This side of the company has sent what it may today.</exception>
    public void LimitCompany(Company company, Origin side, long receivedAt) => quota.Check(company, side, receivedAt);

    /// <summary>
    /// Waits until a body may be parsed: a small one need not and has no turn, and a large one is turned away where its messages would be. Say when it is parsed, and dispose
    /// the turn once it is answered.
    /// </summary>
    /// <param name="sender">The company of the API key; null for a browser, whose body names it.</param>
    /// <exception cref="StoreUnavailableException">There is no room for it.</exception>
    public ValueTask<ParseTurn?> TurnAsync(RequestBody body, Company? sender) => body.Utf8.Length <= ParseGate.LargeBytes ? default : LargeTurnAsync(body.Utf8, sender);

    private async ValueTask<ParseTurn?> LargeTurnAsync(ReadOnlyMemory<byte> body, Company? company)
    {
        // The SDK names the company first. One that is named far back, or none, is nobody's until it is parsed: those take turns as one.
        var origin = company is null ? Origin.Browser : Origin.Server;
        company ??= BodyPeek.TextOf(body.Span[..PeekedBytes], Member.CompanyId) is { } companyId ? registry.Find(companyId) : null;
        if (company is not null) store.CheckRoom(company, origin, body.Length);
        var turn = await gate.EnterAsync(SenderOf(company, origin), body.Length);
        try
        {
            // Others came before it.
            if (company is not null) store.CheckRoom(company, origin, body.Length);
            return turn;
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    private static Sender SenderOf(Company? company, Origin origin) => new(company?.Number ?? 0, origin is Origin.Browser ? SenderKind.Browsers : SenderKind.BackEnd);

    /// <summary>Reads a browser's body, and the company it names if its page may send for that.</summary>
    /// <exception cref="RejectionException">It breaks a rule, names no company, or comes from another origin than those the company lists.</exception>
    public (WireObject Wire, Company Company) ReadPublic(HttpContext http, RequestBody body)
    {
        WireObject wire;
        try
        {
            wire = WireObject.Read(body.Utf8, FieldPath.Body);
        }
        catch (RejectionException refused) when (BodyPeek.TextOf(body.Utf8.Span, Member.CompanyId) is { } companyId && registry.Find(companyId) is { } company)
        {
            throw new AttributedRejection(company, refused, BodyPeek.TextOf(body.Utf8.Span, Member.EventId));
        }

        return (wire, CompanyOf(http, wire));
    }

    private Company CompanyOf(HttpContext http, WireObject wire)
    {
        var companyId = wire.RequiredText(Member.CompanyId);
        var company = registry.Find(companyId) ?? throw UnknownCompany();
        var origin = http.Request.Headers.Origin.ToString();
        if (origin.Length > 0 && company.Settings.AllowedOrigins is { Count: > 0 } allowed && !allowed.Any(entry => AllowedOrigin.Allows(entry, origin)))
            throw new AttributedRejection(company, new(Reason.OriginNotAllowed, $"The origin {origin} is not allowed for this company. Allow it with: trackmate company set --origin (list all allowed origins)."), Batches.EventIdOf(wire));
        return company;
    }

    /// <summary>Of a large body no more is read where it names a company which is not here, or where it would be turned away all the same.</summary>
    private void CheckSender(Company? sender, ReadOnlySpan<byte> begun, long bytes)
    {
        var company = sender;
        if (company is null)
        {
            if (BodyPeek.TextOf(begun[..Math.Min(begun.Length, PeekedBytes)], Member.CompanyId) is not { } companyId) return;
            company = registry.Find(companyId) ?? throw UnknownCompany();
        }

        var origin = sender is null ? Origin.Browser : Origin.Server;
        store.CheckRoom(company, origin, bytes);
        if (gate.RefusalOf(SenderOf(company, origin), bytes) is not { } refusal) return;
        StoreMetrics.NotQueued(refusal);
        throw refusal;
    }

    private static RejectionException UnknownCompany() => new(Reason.UnknownCompany, "company_id is unknown. Copy it from the Get started page of the dashboard.", "company_id");

    public async Task<Receipt[]> AppendAsync(IReadOnlyList<Message> messages, RejectionRecord? rejected)
    {
        var receipts = await store.AppendAsync(messages, rejected);
        if (messages.Count == 0) return receipts;
        var duplicates = receipts.Count(receipt => receipt.Duplicate);
        ReceiveMetrics.Accepted(messages[0].Order.Origin is Origin.Browser ? "browser" : "server", messages.Count - duplicates, duplicates);
        return receipts;
    }

    /// <summary>Runs a slice: whatever it refuses is answered as a problem, and kept where it is known whose it is.</summary>
    /// <param name="call">Which of the slices.</param>
    /// <param name="sender">The company of the API key, where there is one: then even a body that cannot be read is kept.</param>
    public async Task Run(HttpContext http, ReceivingCall call, Func<HttpContext, RequestBody, Task> slice, Company? sender = null)
    {
        RequestBody? body = null;
        try
        {
            body = await RequestBody.ReadAsync(http, checkSender ??= CheckSender, sender);
            await slice(http, body);
        }
        catch (AttributedRejection refusal)
        {
            await KeepAsync(http, call, refusal, body);
            await Problems.WriteAsync(http, refusal.Rejection);
        }
        catch (RejectionException refused)
        {
            // A spent quota says nothing about the message, and would push out what does; of whom is kept out nothing is kept.
            if (sender is not null && refused.Reason is not (Reason.QuotaSpent or Reason.Suppressed or Reason.TooManyRequests or Reason.StoreUnavailable or Reason.BodyTooSlow)) await KeepAsync(http, call, new(sender, refused), body);
            await Problems.WriteAsync(http, refused);
        }
        catch (StoreUnavailableException e) when (e.IsInUse)
        {
            body?.Abandon();
            throw;
        }
        finally
        {
            body?.Dispose();
        }
    }

    public static RejectedEvent ToKeep(RejectionException refused, string? eventId, ReadOnlyMemory<byte> body) =>
        new(eventId, refused.Status, refused.Kept, body[..Math.Min(body.Length, KeptBytes)], body.Length);

    private async Task KeepAsync(HttpContext http, ReceivingCall call, AttributedRejection refusal, RequestBody? body)
    {
        var sent = body?.Utf8 ?? default;
        var kept = ToKeep(refusal.Rejection, refusal.EventId, sent);
        // Whoever looks for one event of a batch finds it, whatever was wrong with the batch.
        if (BodyPeek.EventIdsIn(sent.Span) is { Count: > 0 } events) kept = kept with { Events = events, Body = sent[..Math.Min(sent.Length, KeptBatchBytes)] };
        var origin = call is ReceivingCall.Webhooks ? Origin.Server : Origin.Browser;
        try
        {
            if (origin is Origin.Browser) kept = kept with { Body = KeptTokens.Blank(kept.Body) };
            await store.AppendAsync([], new(refusal.Company, origin, call, Now(), [kept]) { Agent = origin is Origin.Browser ? UserAgent.Parse(http.Request.Headers.UserAgent) : null });
        }
        catch (StoreUnavailableException e)
        {
            // The sender still learns what to mend; that the store is down is logged where it is noticed.
            if (e.IsInUse) body?.Abandon();
        }
    }
}

/// <summary>A refusal of which it is known whose it is, so that the company finds it among its rejected events.</summary>
internal sealed class AttributedRejection(Company company, RejectionException refused, string? eventId = null) : Exception(refused.Message)
{
    public Company Company { get; } = company;

    public RejectionException Rejection { get; } = refused;

    public string? EventId { get; } = eventId;
}
