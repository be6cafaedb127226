using System.Net;
using System.Threading.RateLimiting;

namespace TrackMate.Receive;

/// <summary>How many requests a second one address may send to the public calls; an IPv6 network of 64 bits counts as one address.</summary>
internal sealed class RateLimit : IDisposable
{
    private readonly PartitionedRateLimiter<IPAddress>? limiter;

    /// <param name="requestsPerSecond">Null: no limit.</param>
    public RateLimit(int? requestsPerSecond)
    {
        if (requestsPerSecond is not { } limit) return;
        limiter = PartitionedRateLimiter.Create<IPAddress, IPAddress>(address => RateLimitPartition.GetTokenBucketLimiter(address, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = limit,
            TokensPerPeriod = limit,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            AutoReplenishment = false,
        }));
    }

    /// <exception cref="Refused">The address has spent its share of this second.</exception>
    public void Take(HttpContext http)
    {
        if (limiter is null) return;
        using var lease = limiter.AttemptAcquire(NetworkOf(http.Connection.RemoteIpAddress ?? IPAddress.None));
        if (lease.IsAcquired) return;
        throw new Refused(Reason.TooManyRequests, "Too many requests per second from this address. Send several events in one request, or wait.", retryAfterSeconds: 1);
    }

    public void Dispose() => limiter?.Dispose();

    /// <summary>Whom an address stands for: itself, or its IPv6 network.</summary>
    public static IPAddress NetworkOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily is not System.Net.Sockets.AddressFamily.InterNetworkV6) return address;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new(bytes);
    }
}
