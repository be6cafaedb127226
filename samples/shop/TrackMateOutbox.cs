using System.Net;
using System.Threading.Channels;

namespace Shop;

/// <summary>Something that happened to a customer, as it will be told to TrackMate.</summary>
/// <param name="EventId">The fact's own id, the same at each attempt: TrackMate stores it once, however often it is sent.</param>
/// <param name="Timestamp">When it happened, which a late delivery does not change.</param>
/// <param name="Email">Whom it happened to: what puts it on the same timeline as what that customer's browser sends.</param>
internal sealed record Fact(string EventId, DateTimeOffset Timestamp, string Email, string EventType, object EventData);

/// <summary>
/// Delivers facts to TrackMate, one after the other in the order in which they were told, and again until they are there. The shop never waits for it and never
/// fails because of it.
/// </summary>
/// <remarks>
/// It lives in memory, as all of this sample does: what is not delivered when the shop stops is lost. In a shop with a database, write the fact into a table in the
/// transaction that makes it true, and let this loop read that table.
/// </remarks>
internal sealed partial class TrackMateOutbox(TrackMateWebhook trackMate, ILogger<TrackMateOutbox> log) : BackgroundService
{
    private const int MostFacts = 10_000;

    private static readonly TimeSpan ShortestWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly Channel<Fact> facts = Channel.CreateBounded<Fact>(new BoundedChannelOptions(MostFacts) { SingleReader = true });

    public void Tell(Fact fact)
    {
        if (!facts.Writer.TryWrite(fact)) LogFull(fact.EventType, fact.EventId);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var fact in facts.Reader.ReadAllAsync(stoppingToken))
        {
            for (var attempt = 0; ; attempt++)
            {
                var delivery = await trackMate.SendAsync(fact, stoppingToken);
                if (delivery.Outcome is Outcome.Taken) break;
                if (delivery.Outcome is Outcome.Refused)
                {
                    LogRefused(fact.EventType, fact.EventId, delivery.Why);
                    break;
                }

                var wait = WaitAfter(attempt, delivery.RetryAfter);
                LogLater(fact.EventType, fact.EventId, delivery.Why, wait.TotalSeconds);
                await Task.Delay(wait, stoppingToken);
            }
        }
    }

    /// <summary>At least what TrackMate asks for; else 1, 2, 4 … 60 seconds, spread so that servers that failed together do not come back together.</summary>
    private static TimeSpan WaitAfter(int attempt, TimeSpan? retryAfter)
    {
        var backOff = Math.Min(ShortestWait.TotalSeconds * Math.Pow(2, attempt), LongestWait.TotalSeconds) * (1 + Random.Shared.NextDouble() / 4);
        return TimeSpan.FromSeconds(Math.Max(backOff, retryAfter?.TotalSeconds ?? 0));
    }

    [LoggerMessage(LogLevel.Information, "{EventType} {EventId} is not delivered yet: {Why}. Again in {Seconds:0.0} s.")]
    private partial void LogLater(string eventType, string eventId, string? why, double seconds);

    [LoggerMessage(LogLevel.Error, "TrackMate refuses {EventType} {EventId}: {Why}")]
    private partial void LogRefused(string eventType, string eventId, string? why);

    [LoggerMessage(LogLevel.Error, "The outbox is full: {EventType} {EventId} is lost.")]
    private partial void LogFull(string eventType, string eventId);
}

/// <summary>What became of one attempt.</summary>
internal enum Outcome
{
    Taken,

    /// <summary>For good: what was sent breaks a rule, and would break it again.</summary>
    Refused,

    /// <summary>No answer, too busy, or a key that somebody has to put right.</summary>
    Later,
}

internal sealed record Delivery(Outcome Outcome, string? Why = null, TimeSpan? RetryAfter = null);

/// <summary>The one call of TrackMate that a back end needs: <c>POST /api/webhooks/events</c>.</summary>
internal sealed class TrackMateWebhook(ShopSettings settings) : IDisposable
{
    // One client for ever, whose connections are renewed so that a change in DNS is seen.
    private readonly HttpClient http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
    {
        BaseAddress = settings.TrackMateUrl,
        Timeout = TimeSpan.FromSeconds(10),
        DefaultRequestHeaders = { { "X-TrackMate-API-Key", settings.ApiKey } },
    };

    public async Task<Delivery> SendAsync(Fact fact, CancellationToken stopping)
    {
        try
        {
            using var answer = await http.PostAsJsonAsync(
                "/api/webhooks/events",
                new
                {
                    company_id = settings.Company,
                    identifier = new { email = fact.Email },
                    eventType = fact.EventType,
                    eventData = fact.EventData,
                    timestamp = fact.Timestamp,
                    eventId = fact.EventId,
                },
                stopping);
            if (answer.IsSuccessStatusCode) return new(Outcome.Taken);

            var why = $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(stopping)}";
            return IsForGood(answer.StatusCode) ? new(Outcome.Refused, why) : new(Outcome.Later, why, answer.Headers.RetryAfter?.Delta);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException && !stopping.IsCancellationRequested)
        {
            return new(Outcome.Later, e.Message);
        }
    }

    public void Dispose() => http.Dispose();

    private static bool IsForGood(HttpStatusCode status) =>
        status is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity;
}
