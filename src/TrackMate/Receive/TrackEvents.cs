using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store.Tables;

namespace TrackMate.Receive;

/// <summary><c>POST /api/events</c>: a browser's events, one or many. parse → bind → append → answer.</summary>
internal sealed class TrackEvents(Intake intake)
{
    /// <summary>By far the most frequent answer.</summary>
    private static readonly byte[] OneAccepted = JsonSerializer.SerializeToUtf8Bytes(new(1, 0), Wire.Json.EventsAnswer);

    public Task Handle(HttpContext http)
    {
        intake.LimitAddress(http);
        intake.RequireRoom();
        return intake.Run(http, ReceivingCall.Events, Track);
    }

    /// <summary>Reads one event or a batch.</summary>
    /// <exception cref="RejectionException">The single one, or what a batch says for all of its events, breaks a rule.</exception>
    public static Taken Read(WireObject wire, Company company, Arrival arrival)
    {
        var envelope = new Envelope(
            company, Origin.Browser, arrival.ReceivedAt, wire.Time(Member.SentAt) + arrival.Delay, MessageReader.SessionIdOf(wire, company),
            wire.Has(Member.Events) ? wire.Object(Member.Context) : default, arrival.Agent);
        return wire.Has(Member.Events) ? ReadBatch(wire, envelope) : new(Single(wire, envelope));
    }

    private async Task Track(HttpContext http, RequestBody body)
    {
        using var turn = await intake.TurnAsync(body, sender: null);
        var (wire, company, arrival, taken) = Read(http, body);
        turn?.EndParsing();

        var refusals = taken.Refusals;
        var rejected = refusals.Count == 0
            ? null
            : new RejectionRecord(company, Origin.Browser, ReceivingCall.Events, arrival.ReceivedAt, [.. refusals.Select(refusal => refusal.ToKeep())]) { Agent = arrival.Agent, Envelope = Batches.EnvelopeOf(wire) };
        var receipts = await intake.AppendAsync(taken.Messages, rejected);
        // Whoever is slow to take the answer keeps no place.
        turn?.Dispose();
        var duplicates = receipts.Count(receipt => receipt.Duplicate);
        await (receipts.Length == 1 && duplicates == 0 && refusals.Count == 0 ? JsonAnswer.WriteAsync(http, OneAccepted) : JsonAnswer.WriteAsync(http, AnswerOf(receipts.Length - duplicates, duplicates, refusals), Wire.Json.EventsAnswer));
    }

    private (WireObject Wire, Company Company, Arrival Arrival, Taken Taken) Read(HttpContext http, RequestBody body)
    {
        var (wire, company) = intake.ReadPublic(http, body);
        var arrival = new Arrival(intake.Now(), UserAgent.Parse(http.Request.Headers.UserAgent));
        intake.LimitCompany(company, Origin.Browser, arrival.ReceivedAt);
        try
        {
            return (wire, company, arrival, Read(wire, company, arrival));
        }
        catch (RejectionException refused)
        {
            throw new AttributedRejection(company, refused, Batches.EventIdOf(wire));
        }
    }

    private static EventsAnswer AnswerOf(int accepted, int duplicates, List<BatchRejection> refusals) => new(
        accepted,
        duplicates,
        refusals.Count == 0 ? null : [.. refusals.Select(refusal => new RejectedAnswer(refusal.Index, refusal.EventId, refusal.Rejection.Status, refusal.Rejection.Message))]);

    private static TrackedEvent Single(WireObject wire, Envelope envelope)
    {
        if (wire.Json.Length > Batches.MaxEventBytes) throw Batches.TooLarge("The event");
        return MessageReader.Event(wire, envelope, index: 0, named: [], envelope.SessionId);
    }

    private static Taken ReadBatch(WireObject wire, Envelope envelope)
    {
        var taken = new Taken();
        foreach (var (index, json) in wire.Array(Member.Events, Batches.MaxEvents).Index())
        {
            string? eventId = null;
            try
            {
                var item = Batches.Read(json, index);
                eventId = Batches.EventIdOf(item);
                taken.Messages.Add(MessageReader.Event(item, envelope, index, named: [], envelope.SessionId));
            }
            catch (RejectionException refused)
            {
                EdgeMetrics.Refused(RejectionException.NameOf(refused.Reason));
                taken.Refusals.Add(new(index, eventId, refused, json));
            }
        }

        return taken;
    }
}
