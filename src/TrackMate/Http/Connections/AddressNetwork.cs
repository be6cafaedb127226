using System.Net;
using System.Net.Sockets;

namespace TrackMate.Http;

/// <summary>The network that counts as one sender: an IPv4 address, or an IPv6 network of 64 bits, since a household has one.</summary>
internal static class AddressNetwork
{
    public static IPAddress Of(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily is not AddressFamily.InterNetworkV6) return address;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new(bytes);
    }
}
