namespace TrackMate.Http;

/// <summary>The memory that one body or answer uses, out of the shared limit for large ones. Small ones are not counted.</summary>
internal sealed class HeldMemory(HttpContext http) : IDisposable
{
    private TrackedConnection? connection;
    private long bytes;

    /// <inheritdoc cref="GrowTo"/>
    public HeldMemory(HttpContext http, long total)
        : this(http) => GrowTo(total);

    /// <summary>Raises the counted memory to a total.</summary>
    /// <exception cref="RejectionException">The limit does not allow it.</exception>
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
