namespace TrackMate.Http;

/// <summary>What one body or answer takes of the memory that all large ones share; nothing is counted of a small one.</summary>
internal sealed class HeldMemory(HttpContext http) : IDisposable
{
    private TrackedConnection? connection;
    private long bytes;

    /// <inheritdoc cref="GrowTo"/>
    public HeldMemory(HttpContext http, long total)
        : this(http) => GrowTo(total);

    /// <summary>Counts all that it takes from now on.</summary>
    /// <exception cref="RejectionException">There is no room for it.</exception>
    public void GrowTo(long total)
    {
        if (total <= EdgeLimits.LargeBytes || total <= bytes) return;
        if (http.Features.Get<TrackedConnection>() is not { } found) return;
        found.Connections.Hold(found, total - bytes);
        (connection, bytes) = (found, total);
    }

    public void Dispose()
    {
        connection?.Connections.Release(connection, bytes);
        (connection, bytes) = (null, 0);
    }
}
