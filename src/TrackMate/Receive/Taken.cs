using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store.Tables;

namespace TrackMate.Receive;

/// <summary>When a request came, and from what.</summary>
/// <param name="ReceivedAt">Unix milliseconds of our own clock.</param>
/// <param name="Agent">Of a browser: what its User-Agent said.</param>
/// <param name="Delay">Milliseconds that it lay here refused before somebody mended it: its sender's clock, which <c>sentAt</c> tells, has gone on since.</param>
internal readonly record struct Arrival(long ReceivedAt, Agent? Agent, long Delay = 0);

/// <summary>What was read of a request: what is to be stored, and what of a batch was refused.</summary>
internal sealed record Taken(List<Message> Messages, List<BatchRejection> Refusals)
{
    public Taken()
        : this([], [])
    {
    }

    public Taken(Message message)
        : this([message], [])
    {
    }
}

/// <param name="Index">Where in <c>events</c> it stands.</param>
/// <param name="Json">The event as it was sent; points into the request's body.</param>
internal sealed record BatchRejection(int Index, string? EventId, RejectionException Rejection, ReadOnlyMemory<byte> Json)
{
    public RejectedEvent ToKeep() => Intake.ToKeep(Rejection, EventId, Json);
}
