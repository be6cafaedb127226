using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Store;

namespace TrackMate.Receive;

/// <summary><c>POST /api/events</c>: a browser's events, one or many. parse → bind → append → answer.</summary>
internal sealed class TrackEvents(Intake intake)
{
    /// <summary>By far the most frequent answer.</summary>
    private static readonly byte[] OneAccepted = JsonSerializer.SerializeToUtf8Bytes(new(1, 0), Wire.Json.EventsAnswer);

    public Task Handle(HttpContext http)
    {
        PublicCalls.AllowEveryOrigin(http);
        intake.LimitAddress(http);
        return intake.Run(http, Track);
    }

    private async Task Track(HttpContext http, RequestBody body)
    {
        var (wire, company) = intake.ReadPublic(http, body);
        var receivedAt = intake.Now();
        intake.LimitCompany(company, receivedAt);

        var messages = new List<Message>();
        var refusals = new List<(int Index, string? EventId, Refused Refused, ReadOnlyMemory<byte> Json)>();
        try
        {
            var envelope = new Envelope(
                company, Origin.Browser, receivedAt, wire.Time(Member.SentAt), MessageReader.SessionIdOf(wire, company),
                wire.Has(Member.Events) ? wire.Object(Member.Context) : default, UserAgent.Parse(http.Request.Headers.UserAgent));
            if (wire.Has(Member.Events)) ReadBatch(wire, envelope, messages, refusals);
            else messages.Add(Single(wire, envelope, body));
        }
        catch (Refused refused)
        {
            throw new Refusal(company, Origin.Browser, refused, Batches.EventIdOf(wire));
        }

        var rejected = refusals.Count == 0
            ? null
            : new Rejected(company, Origin.Browser, receivedAt, [.. refusals.Select(refusal => Intake.ToKeep(refusal.Refused, refusal.EventId, refusal.Json))]);
        var receipts = await intake.AppendAsync(messages, rejected);
        var duplicates = receipts.Count(receipt => receipt.Duplicate);
        await (receipts.Length == 1 && duplicates == 0 && refusals.Count == 0 ? Intake.WriteAsync(http, OneAccepted) : Intake.WriteAsync(http, AnswerOf(receipts.Length - duplicates, duplicates, refusals), Wire.Json.EventsAnswer));
    }

    private static EventsAnswer AnswerOf(int accepted, int duplicates, List<(int Index, string? EventId, Refused Refused, ReadOnlyMemory<byte> Json)> refusals) => new(
        accepted,
        duplicates,
        refusals.Count == 0 ? null : [.. refusals.Select(refusal => new RejectedAnswer(refusal.Index, refusal.EventId, refusal.Refused.Status, refusal.Refused.Message))]);

    private static TrackedEvent Single(WireObject wire, Envelope envelope, RequestBody body)
    {
        if (body.Utf8.Length > Intake.MaxEventBytes) throw Batches.TooLarge("The event");
        return MessageReader.Event(wire, envelope, index: 0, named: [], envelope.SessionId);
    }

    private static void ReadBatch(WireObject wire, Envelope envelope, List<Message> messages, List<(int, string?, Refused, ReadOnlyMemory<byte>)> refusals)
    {
        foreach (var (index, json) in wire.Array(Member.Events, Intake.MaxEvents).Index())
        {
            string? eventId = null;
            try
            {
                var item = Batches.Read(json, index);
                eventId = Batches.EventIdOf(item);
                messages.Add(MessageReader.Event(item, envelope, index, named: [], envelope.SessionId));
            }
            catch (Refused refused)
            {
                ReceiveMetrics.Refused(Refused.NameOf(refused.Reason));
                refusals.Add((index, eventId, refused, json));
            }
        }
    }
}
