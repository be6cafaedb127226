using System.Net;
using Microsoft.AspNetCore.Connections;

namespace TrackMate.Http;

/// <summary>
/// All open connections, and the memory that they use, limited per address and in all. At a limit the connection that has waited longest for its client is closed: slow
/// clients make room for others, and a browser reopens an idle connection by itself.
/// </summary>
internal sealed class OpenConnections
{
    private readonly Lock gate = new();
    private readonly EdgeLimits limits;
    private readonly IReadOnlyList<IPNetwork> proxies;
    private readonly HashSet<TrackedConnection> open = [];
    private readonly Dictionary<IPAddress, Share> shares = [];
    private long heldBytes;

    /// <param name="proxies">Trusted proxies. Their connections count for the client in <c>X-Forwarded-For</c>.</param>
    public OpenConnections(EdgeLimits limits, IReadOnlyList<IPNetwork> proxies)
    {
        this.limits = limits;
        this.proxies = proxies;
        EdgeMetrics.Watch(() => open.Count, () => heldBytes);
    }

    /// <summary>What is counted for one address.</summary>
    private sealed class Share
    {
        public int Connections { get; set; }

        public long HeldBytes { get; set; }
    }

    public EdgeLimits Limits => limits;

    /// <summary>Handles a connection from its first byte, before TLS.</summary>
    public async Task Serve(ConnectionContext context, ConnectionDelegate next)
    {
        var connection = new TrackedConnection(this, context, (context.RemoteEndPoint as IPEndPoint)?.Address is { } address && !IsProxy(address) ? AddressNetwork.Of(address) : null);
        if (!TryEnter(connection))
        {
            EdgeMetrics.Closed(EdgeMetrics.Newcomer);
            connection.Close();
            return;
        }

        try
        {
            context.Transport = connection;
            context.Features.Set(connection);
            await next(context);
        }
        finally
        {
            lock (gate) Remove(connection);
        }
    }

    /// <summary>Counts a request through a trusted proxy for the client's address, until the request ends.</summary>
    /// <exception cref="RejectionException">The address has as many open requests as allowed, and the server is working on all of them.</exception>
    public Task Forward(HttpContext http, RequestDelegate next) =>
        http.Features.Get<TrackedConnection>() is { Address: null } connection && http.Connection.RemoteIpAddress is { } address && !IsProxy(address)
            ? ForwardAsync(connection, AddressNetwork.Of(address), http, next)
            : next(http);

    private async Task ForwardAsync(TrackedConnection connection, IPAddress address, HttpContext http, RequestDelegate next)
    {
        if (!TryCountFor(connection, address))
            throw new RejectionException(Reason.TooManyRequests, "This address has more requests open at once than it may; send several events in one request, or wait.", retryAfterSeconds: 1);
        try
        {
            await next(http);
        }
        finally
        {
            lock (gate)
            {
                if (open.Contains(connection)) CountFor(connection, null);
            }
        }
    }

    /// <summary>Counts bytes of a large body or answer, before the memory is allocated.</summary>
    /// <exception cref="RejectionException">The limit is reached, and no connection can be closed to make room.</exception>
    public void Hold(TrackedConnection connection, long bytes)
    {
        List<TrackedConnection> closed = [];
        try
        {
            lock (gate)
            {
                // This connection was itself closed a moment ago to make room; its reader will notice.
                if (!open.Contains(connection)) throw new ConnectionAbortedException("It was closed to make room for others.");
                while (connection.Address is { } address && shares[address].HeldBytes + bytes > limits.HeldBytesPerAddress)
                {
                    if (LongestWaiting(other => other != connection && other.HeldBytes > 0 && address.Equals(other.Address)) is not { } slow)
                        throw new RejectionException(Reason.TooManyRequests, "This address has more bytes under way than it may; send less at once, or wait.", retryAfterSeconds: 1);
                    MakeRoom(slow, EdgeMetrics.AddressMemory, closed);
                }

                while (heldBytes + bytes > limits.HeldBytes)
                {
                    if (LongestWaiting(other => other != connection && other.HeldBytes > 0) is not { } slow)
                        throw new RejectionException(Reason.StoreUnavailable, "More is coming in than the server has memory for; send it again.", retryAfterSeconds: 1);
                    MakeRoom(slow, EdgeMetrics.Memory, closed);
                }

                Count(connection, bytes);
            }
        }
        finally
        {
            foreach (var slow in closed) slow.Close();
        }
    }

    /// <summary>Subtracts bytes that <see cref="Hold"/> has counted.</summary>
    public void Release(TrackedConnection connection, long bytes)
    {
        lock (gate)
        {
            if (open.Contains(connection)) Count(connection, -bytes);
        }
    }

    private bool TryEnter(TrackedConnection connection)
    {
        List<TrackedConnection> closed = [];
        lock (gate)
        {
            if (connection.Address is { } address && !TryMakeRoomFor(address, closed)) return false;
            if (open.Count >= limits.Connections)
            {
                if (LongestWaiting(_ => true) is not { } slow) return false;
                MakeRoom(slow, EdgeMetrics.Connections, closed);
            }

            open.Add(connection);
            if (connection.Address is { } counted) ShareOf(counted).Connections++;
        }

        foreach (var slow in closed) slow.Close();
        return true;
    }

    private bool TryCountFor(TrackedConnection connection, IPAddress address)
    {
        List<TrackedConnection> closed = [];
        lock (gate)
        {
            if (!TryMakeRoomFor(address, closed)) return false;
            if (open.Contains(connection)) CountFor(connection, address);
        }

        foreach (var slow in closed) slow.Close();
        return true;
    }

    private bool TryMakeRoomFor(IPAddress address, List<TrackedConnection> closed)
    {
        if (!shares.TryGetValue(address, out var share) || !(share.Connections >= limits.ConnectionsPerAddress)) return true;
        if (LongestWaiting(other => address.Equals(other.Address)) is not { } slow) return false;
        MakeRoom(slow, EdgeMetrics.AddressConnections, closed);
        return true;
    }

    // The search visits some thousand connections at most, and only at a limit. That is cheaper than keeping them sorted with every byte that arrives.
    private TrackedConnection? LongestWaiting(Func<TrackedConnection, bool> eligible)
    {
        TrackedConnection? longest = null;
        var since = long.MaxValue;
        foreach (var connection in open)
        {
            if (eligible(connection) && connection.HasWaitedSinceBefore(ref since)) longest = connection;
        }

        return longest;
    }

    /// <summary>Stops counting a connection at once. Its memory is freed when its request notices.</summary>
    private void MakeRoom(TrackedConnection slow, string reason, List<TrackedConnection> closed)
    {
        Remove(slow);
        EdgeMetrics.Closed(reason);
        closed.Add(slow);
    }

    private void Remove(TrackedConnection connection)
    {
        if (!open.Remove(connection)) return;
        Count(connection, -connection.HeldBytes);
        CountFor(connection, null);
    }

    private void Count(TrackedConnection connection, long bytes)
    {
        heldBytes += bytes;
        connection.HeldBytes += bytes;
        if (connection.Address is { } address) ShareOf(address).HeldBytes += bytes;
    }

    private void CountFor(TrackedConnection connection, IPAddress? address)
    {
        if (connection.Address is { } before)
        {
            var share = shares[before];
            share.HeldBytes -= connection.HeldBytes;
            if (--share.Connections == 0) shares.Remove(before);
        }

        connection.Address = address;
        if (address is null) return;
        var counted = ShareOf(address);
        counted.Connections++;
        counted.HeldBytes += connection.HeldBytes;
    }

    private Share ShareOf(IPAddress address) => shares.TryGetValue(address, out var share) ? share : shares[address] = new();

    private bool IsProxy(IPAddress address)
    {
        if (proxies.Count == 0) return false;
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return proxies.Any(network => network.Contains(plain));
    }
}
