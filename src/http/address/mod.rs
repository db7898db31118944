//! The geocoder: `/address`.
