namespace TrackMate.Receive;

/// <summary>What the batches of browsers and of back ends share: one bad event refuses itself only.</summary>
internal static class Batches
{
    /// <exception cref="Refused">The element is too large or not a valid object.</exception>
    public static WireObject Read(ReadOnlyMemory<byte> json, int index) =>
        json.Length > Intake.MaxEventBytes ? throw TooLarge($"events[{index}]") : WireObject.Read(json, new(index, null, null));

    public static Refused TooLarge(string what) => new(Reason.TooLarge, $"{what} is larger than {Intake.MaxEventBytes / 1024} KiB; send less in eventData.");

    /// <summary>The sender's eventId, to name a refused event by; null where that too is wrong.</summary>
    public static string? EventIdOf(WireObject wire)
    {
        try
        {
            return wire.Text(Member.EventId);
        }
        catch (Refused)
        {
            return null;
        }
    }
}
